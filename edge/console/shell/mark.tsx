/** The product's mark: a gate, and somebody known in it. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M9 8v16M23 8v16M9 8h4M9 24h4M23 8h-4M23 24h-4" />
      <circle cx="16" cy="16" r="3.4" />
    </svg>
  );
}
