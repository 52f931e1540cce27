import type { Refusal } from './describe-pictures.ts';
import type { EvaluationResult } from './evaluate.ts';
import type { NamedPair } from './furthest-pairs.ts';

/** Pictures that are named for each reason; the rest is counted. */
const MOST_NAMED = 20;
/** Pairs that are named for each kind. */
const MOST_PAIRS = 5;

/** The result in words, for people. */
export function formatReport(result: EvaluationResult): string {
  const { identities, images, detected, refusals, leftOut, pairs, eer, points } = result;
  const lines = [
    `${images} pictures of ${identities} people; ${detected} gave a face: ${percent(detected / images)}`,
    `${pairs.genuine.total} pairs of one person, ${pairs.impostor.total} pairs of different people`,
    ...(pairs.copies === 0 ? [] : [`${pairs.copies} ${pairs.copies === 1 ? 'pair' : 'pairs'} left out: both files hold the same bytes`]),
    ...(leftOut === 0
      ? []
      : [`${leftOut} ${leftOut === 1 ? 'file or folder' : 'files or folders'} left out: no JPEG, PNG or WebP in a person's folder`]),
    '',
    `equal error rate       ${percent(eer)}`,
    ...Object.entries(points).map(
      ([name, { threshold, tar }]) => `true accepts at ${name}   ${percent(tar)}, from threshold ${threshold.toFixed(3)} on`,
    ),
    '',
    'Least alike of one person, and most alike of two people: are they in the right folder?',
    ...[pairs.suspicious.genuine, pairs.suspicious.impostor].flatMap((kind) => ['', ...kind.slice(0, MOST_PAIRS).map(pairLine)]),
    ...Map.groupBy(refusals, reasonOf)
      .entries()
      .flatMap(([reason, refused]) => ['', `${reason} (${refused.length}):`, ...named(refused)]),
  ];
  return `${lines.join('\n')}\n`;
}

function pairLine({ score, pictures }: NamedPair): string {
  return `  ${score.toFixed(3).padStart(6)}  ${pictures.join('  ')}`;
}

function reasonOf({ error: { code, message } }: Refusal): string {
  if (code === 'file_unreadable') return 'The file cannot be read';
  return code === 'several_faces' ? 'It is not clear which of several faces is meant; enrolment refuses such a picture as well' : message;
}

function named(refused: readonly Refusal[]): string[] {
  const names = refused.slice(0, MOST_NAMED).map(({ picture }) => `  ${picture.name}`);
  return refused.length > MOST_NAMED ? [...names, `  and ${refused.length - MOST_NAMED} more`] : names;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
