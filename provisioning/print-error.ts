import { SecureGateError } from '../shared/errors/securegate-error.ts';

/**
 * Writes an error to stderr: for people its message, code and next step, for programs one JSON line `{"error": ...}`.
 * `verbose` adds the chain of causes.
 */
export function printError(error: unknown, options: { json: boolean; verbose: boolean }): void {
  const shown = SecureGateError.from(error);
  const causes = options.verbose ? causesOf(shown) : [];
  if (options.json) {
    process.stderr.write(`${JSON.stringify({ error: { ...shown.toJSON(), ...(options.verbose ? { causes } : {}) } })}\n`);
    return;
  }
  const details = Object.entries(shown.details).map(([name, value]) => `  ${name}:${readable(value)}`);
  const lines = [
    `error: ${shown.message} [${shown.code}]`,
    ...details,
    ...causes.map((cause) => `  because: ${cause}`),
    `next: ${shown.next}`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Several things below each other, one thing behind its name. */
function readable(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? readable(value[0]) : value.map((entry) => `\n   ${readable(entry)}`).join('');
  return ` ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** What lay below, outermost first, with the stacks that lead to the lines at fault. */
function causesOf(error: SecureGateError): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 10; cause = cause instanceof Error ? cause.cause : undefined) {
    causes.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
  return causes;
}
