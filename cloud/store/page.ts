/** A page of a list in the order of ids. */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

export interface PageQuery {
  /** Id of the last item of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** @param found one more than the page holds, if there are more */
export function pageOf<Row, Item>(
  found: readonly Row[],
  limit: number,
  { id, view }: { id: (row: Row) => string; view: (row: Row) => Item },
): Page<Item> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { items: rows.map(view), next: found.length > limit && last !== undefined ? id(last) : null };
}
