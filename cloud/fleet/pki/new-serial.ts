/** Serial number of a certificate (RFC 5280, 4.1.2.2): 128 bits, positive, and nobody can tell the next one. Lower-case hex. */
export function newSerial(random: (size: number) => Buffer): string {
  const bytes = random(16);
  // Neither negative nor shortened: it reads the same wherever it is printed.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
