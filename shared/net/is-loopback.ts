const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?|localhost)$/i;

/** Whether a host name or address means this machine and nothing else; names are not looked up. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
