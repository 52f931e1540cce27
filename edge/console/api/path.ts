/** Puts values into a path, each encoded as one segment: `` path`/v1/tenants/${tenant}` ``. */
export function path(literals: TemplateStringsArray, ...values: readonly string[]): string {
  return literals.reduce((text, literal, index) => `${text}${encodeURIComponent(values[index - 1] ?? '')}${literal}`);
}
