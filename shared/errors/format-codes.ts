import { ERROR_CODES } from './codes.ts';

/** The page of all error codes, Markdown. `node shared/errors/format-codes.ts > shared/errors/CODES.md` writes it anew. */
export function formatCodes(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { status, title, next }]) => `| \`${code}\` | ${status} | ${title} | ${next} |`);
  return [
    '# Error codes',
    '',
    'Made from `codes.ts` by `format-codes.ts`. A code is stable: it is never renamed and never given a second meaning.',
    'Status is the HTTP status where the error reaches a client; the command line ends with 1 for all of them.',
    '',
    '| Code | Status | Meaning | What to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main) process.stdout.write(formatCodes());
