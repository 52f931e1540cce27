/** Grey rows in the place of what is being fetched. */
export function Loading({ rows = 4, what }: { readonly rows?: number; readonly what: string }) {
  return (
    <div className="loading" role="status">
      <span className="unseen">Loading {what}</span>
      {Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
        <div key={row} className="loading-row" />
      ))}
    </div>
  );
}
