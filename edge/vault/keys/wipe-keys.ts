/** Overwrites the bytes of all these keys. */
export function wipeKeys(keys: ReadonlyMap<string, { readonly bytes: Buffer }>): void {
  for (const { bytes } of keys.values()) bytes.fill(0);
}
