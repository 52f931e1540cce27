/** Keeps data, as JSON knows it, from ever being changed. */
export function deepFreeze<Data>(data: Data): Data {
  if (typeof data !== 'object' || data === null) return data;
  for (const inner of Object.values(data)) deepFreeze(inner);
  return Object.freeze(data);
}
