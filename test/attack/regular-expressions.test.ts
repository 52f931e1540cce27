import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import fc from 'fast-check';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { readOperations } from '../helpers/api-operations.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { startTestApi } from '../helpers/test-api.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What takes in what strangers send. */
const ROOMS = ['edge', 'cloud', 'shared'];
const BODY_LIMIT = 128 * 1024;
/** At the first, whatever is worse than any polynomial does not end; at the others, ever fewer of the slowest are tried. */
const SHORT = 256;
const SIZES = [512, 2048, 16_384, BODY_LIMIT];
const SLOWEST = 5;
/** CPU time. One pass over the largest text takes a millisecond; its square takes longer than this at an eighth of it. */
const MOST_MS = 50;
const TRIES = 3;
/** Nothing but the expression takes so long. */
const NO_CHANCE_MS = 500;
/** Of an expression that would not end before the sun does. */
const GIVEN_UP_MS = 2000;
const SAMPLES = 6;
/** What comes behind makes a match fail at the very end, after all the ways to get there were tried. */
const ENDINGS = ['', '\u0000', '!'];
const ANYWHERE = ['a', '0', '-', '.', '_', ' ', '/', '@', '"', 'a.', 'a-', 'aA0', '..', '%20', 'é'];

/** A text that grows by a piece. */
interface Attack {
  readonly start: string;
  readonly piece: string;
  readonly end: string;
}

/** Of every literal in the product's sources, and of every schema of both APIs, each with the place where it was found first. */
async function expressions(): Promise<Map<string, RegExp>> {
  const found = new Map<string, RegExp>();
  const add = (where: string, source: string, flags: string): void => {
    const expression = new RegExp(source, flags.replaceAll(/[gy]/g, ''));
    if (![...found.values()].some((known) => String(known) === String(expression))) found.set(`${where}: ${expression}`, expression);
  };
  for (const room of ROOMS) {
    for (const name of readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.ts'))) {
      const path = join(room, name);
      const visit = (node: ts.Node): void => {
        if (ts.isRegularExpressionLiteral(node)) {
          const end = node.text.lastIndexOf('/');
          add(path, node.text.slice(1, end), node.text.slice(end + 1));
        }
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest));
    }
  }
  const api = await startTestApi();
  const cloud = await TestCloud.start(await testKms('software'));
  try {
    for (const { url } of [api, cloud]) {
      JSON.stringify(await readOperations({ url }), (name, part: unknown) => {
        if (name === 'pattern' && typeof part === 'string') add('OpenAPI', part, part.includes('\\P{') ? 'u' : '');
        return part;
      });
    }
  } finally {
    await api.stop();
  }
  return found;
}

/** Pieces of what matches, repeated where they stand, and of what turns up in any text. */
function attacksOn(expression: RegExp): Attack[] {
  const attacks = ANYWHERE.flatMap((piece) => ENDINGS.map((end) => ({ start: '', piece, end })));
  for (const match of samplesOf(expression)) {
    for (const at of [0, Math.floor(match.length / 3), Math.floor((2 * match.length) / 3)]) {
      for (const length of [1, 2, 5, match.length]) {
        const piece = match.slice(at, at + length);
        if (piece !== '')
          attacks.push(...ENDINGS.map((end) => ({ start: match.slice(0, at), piece, end: end === '' ? '' : `${match.slice(at)}${end}` })));
      }
    }
  }
  return attacks;
}

/** None of what is made of classes of Unicode, which takes seconds, and where fast-check does not know a construct. */
function samplesOf(expression: RegExp): string[] {
  if (expression.unicode) return [];
  try {
    return fc.sample(fc.stringMatching(expression, { maxLength: 40 }), { numRuns: SAMPLES, seed: 1 }).filter((match) => match !== '');
  } catch {
    return [];
  }
}

function textOf({ start, piece, end }: Attack, size: number): string {
  return start + piece.repeat(Math.ceil(size / piece.length)) + end;
}

const tries = new Script('for (const text of texts) expression.test(text)');

function endsFor(expression: RegExp, texts: readonly string[]): boolean {
  try {
    tries.runInNewContext({ expression, texts }, { timeout: GIVEN_UP_MS });
    return true;
  } catch {
    return false;
  }
}

/** CPU time, milliseconds: what is too much counts when it is again, for the engine may have tidied up in the midst of it. */
function cost(expression: RegExp, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const ms = costOnce(expression, text);
    if (ms <= MOST_MS || ms > NO_CHANCE_MS) return ms;
    least = Math.min(least, ms);
  }
  return least;
}

function costOnce(expression: RegExp, text: string): number {
  const before = process.cpuUsage();
  expression.test(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What an expression takes at most, and for what. */
interface Worst {
  readonly ms: number;
  readonly size: number;
  readonly attack: Attack | undefined;
}

function worstOf(expression: RegExp): Worst {
  let attacks = attacksOn(expression);
  const ends = endsFor(
    expression,
    attacks.map((attack) => textOf(attack, SHORT)),
  );
  if (!ends) return { ms: GIVEN_UP_MS, size: SHORT, attack: undefined };
  let worst: Worst = { ms: 0, size: 0, attack: undefined };
  for (const size of SIZES) {
    const tried: Worst[] = [];
    for (const attack of attacks) {
      const one = { ms: cost(expression, textOf(attack, size)), size, attack };
      if (one.ms > MOST_MS) return one;
      tried.push(one);
    }
    const slowest = tried.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
    attacks = slowest.flatMap(({ attack }) => attack ?? []);
    worst = slowest[0] ?? worst;
  }
  return worst;
}

test.each([
  ['exponential', /^(a+)+$/],
  ['exponential by alternatives', /^(a|aa)+$/],
  ['cubic', /^\w+\d+-?\d+:$/],
  ['quadratic', /^\d+\d+:$/],
  ['quadratic, from every place', /\s+$/],
])('the search finds an expression that is %s', (_kind, expression) => {
  expect(worstOf(expression).ms).toBeGreaterThan(MOST_MS);
});

test('no regular expression of the product takes more than a moment for any text that fits into a request', async () => {
  const all = await expressions();
  expect(all.size).toBeGreaterThan(60);
  const slow: string[] = [];
  for (const [where, expression] of all) {
    const { ms, size, attack } = worstOf(expression);
    if (ms > MOST_MS) slow.push(`${where}: ${Math.round(ms)} ms at ${size} of ${JSON.stringify(attack)}`);
  }
  expect(slow).toEqual([]);
}, 120_000);
