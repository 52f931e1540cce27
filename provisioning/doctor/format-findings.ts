import type { Finding } from './finding.ts';

const WORDS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
const COLOURS = { ok: '\u001b[32m', warn: '\u001b[33m', fail: '\u001b[31m' } as const;

/** The findings as lines for people. */
export function formatFindings(findings: readonly Finding[], colour: boolean): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, message, next }) => [
    `${colour ? `${COLOURS[state]}${WORDS[state]}\u001b[0m` : WORDS[state]}  ${check.padEnd(width)}  ${message}`,
    ...(next === undefined || state === 'ok' ? [] : [`      ${' '.repeat(width)}  ${next}`]),
  ]);
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  return `${lines.join('\n')}\n${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed\n`;
}
