/** A place in a JSON value. */
export type Place = readonly (string | number)[];

/** Every place of a value that fits, the value itself first. */
export function placesOf(value: unknown, fits: (part: unknown) => boolean, at: Place = []): Place[] {
  const own = fits(value) ? [at] : [];
  if (typeof value !== 'object' || value === null) return own;
  const parts: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...own, ...parts.flatMap(([name, part]) => placesOf(part, fits, [...at, name]))];
}

/** The text of a value in which the part at a place is another one. */
export function textWith(value: unknown, [name, ...rest]: Place, change: (part: unknown) => string): string {
  if (name === undefined) return change(value);
  if (Array.isArray(value))
    return `[${value.map((part, at) => (at === name ? textWith(part, rest, change) : JSON.stringify(part))).join()}]`;
  const fields = Object.entries(value as object).map(
    ([field, part]) => `${JSON.stringify(field)}:${field === name ? textWith(part, rest, change) : JSON.stringify(part)}`,
  );
  return `{${fields.join()}}`;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of an object with more fields, also with one that no object literal could have (`__proto__`). */
export function withFields(object: unknown, fields: readonly (readonly [name: string, text: string])[]): string {
  const own = Object.entries(object as object).map(([name, part]) => [name, JSON.stringify(part)] as const);
  return `{${[...own, ...fields].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`;
}
