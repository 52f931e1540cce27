/** Whether data can never change. What is more than data, a date for example, can though it is frozen. */
export function isDeepFrozen(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return true;
  if (!Object.isFrozen(data)) return false;
  const isData = Array.isArray(data) || Object.getPrototypeOf(data) === Object.prototype;
  return isData && Object.values(data).every(isDeepFrozen);
}
