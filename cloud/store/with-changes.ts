/** What can be said of a change: some of the fields. */
export type Changes<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined };

/** @returns the fields after the change; what it does not name stays */
export function withChanges<Fields extends object>(present: Fields, changes: Changes<Fields>): Fields {
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...present, ...(Object.fromEntries(named) as Partial<Fields>) };
}
