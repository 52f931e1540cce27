import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetStand } from './fleet/fleet-stand.ts';
import { describeMachine } from './report/describe-machine.ts';

// From the second person's approval of a shred to the last box that was told of it. Control plane with its broker, KMS on SoftHSM2, and the
// boxes, which have the product's own link, are processes on this one machine.
const BOXES = Number(process.env.BOXES ?? 1000);
const ROUNDS = Number(process.env.ROUNDS ?? 10);
const ROUNDS_WITH_ABSENT = 3;
const ABSENT = Math.round(BOXES / 5);
const PROCESSES = 2;
const TARGET_MS = 2000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Round {
  /** Milliseconds from the answer to the second approval, for each box that is connected. */
  readonly fromApproval: readonly number[];
  readonly fromDestruction: readonly number[];
  readonly receiptsMs: number;
  readonly afterConnect: readonly number[];
}

let words = 0;
async function shred(stand: FleetStand, tenant: string, absent: number): Promise<Round> {
  if (absent > 0) await stand.tell((boxes) => ({ do: 'leave', boxes }), absent);
  const { id } = await stand.ask(0, 'POST', '/shreds', { tenant, graceMinutes: 0 });
  await stand.ask(0, 'POST', `/shreds/${id}/approve`);
  await stand.ask(1, 'POST', `/shreds/${id}/approve`);
  const approvedAt = Date.now();
  const before = stand.cpuMs();
  const present = await stand.tell((boxes) => ({ do: 'told', tenant, boxes }), BOXES - absent);
  const told = present.flatMap((answer) => answer.told);
  const atTold = stand.cpuMs();
  words += BOXES - absent;
  const keptAt = Math.max(...(await stand.tell((share) => ({ do: 'kept', words: share }), words)).map(({ at }) => at));
  const atKept = stand.cpuMs();
  let afterConnect: number[] = [];
  if (absent > 0) {
    await stand.tell((boxes) => ({ do: 'return', boxes }), absent);
    afterConnect = (await stand.tell((boxes) => ({ do: 'told', tenant, boxes }))).flatMap((answer) => answer.afterConnect);
    words += absent;
    await stand.tell((share) => ({ do: 'kept', words: share }), words);
  }
  const { state, destroyedAt, boxes } = await stand.ask(0, 'GET', `/shreds/${id}`);
  const erased = (boxes as { state: string; receipt: string | null }[]).filter(({ receipt }) => receipt !== null).length;
  if (erased !== BOXES) throw new Error(`${erased} of ${BOXES} boxes have a receipt; the shred is ${String(state)}`);
  const round = {
    fromApproval: told.map((at) => at - approvedAt),
    fromDestruction: told.map((at) => at - Date.parse(String(destroyedAt))),
    receiptsMs: keptAt - approvedAt,
    afterConnect,
  };
  say(
    `  ${tenant}: last box after ${Math.max(...round.fromApproval)} ms, of which ${approvedAt === 0 ? 0 : Date.parse(String(destroyedAt)) - approvedAt} to the destruction; all receipts after ${round.receiptsMs} ms; ${JSON.stringify([atTold, atKept].map((one) => [one.controlPlane - before.controlPlane, one.kms - before.kms, one.boxes - before.boxes]))}`,
  );
  return round;
}

function spread(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const folder = mkdtempSync(join(tmpdir(), 'securegate-bench-shred-'));
const stand = new FleetStand(folder);
try {
  say(`making ${BOXES} boxes`);
  await stand.make(BOXES);
  const tenants = Array.from({ length: ROUNDS + ROUNDS_WITH_ABSENT + 1 }, (_, at) => `hall-${at}`);
  await stand.addTenants(tenants, BOXES);
  say('they connect');
  await stand.run(PROCESSES);
  const [first = '', ...others] = tenants;
  say('one round to warm up, then those that count');
  await shred(stand, first, 0);
  const rounds: Round[] = [];
  for (const tenant of others.slice(0, ROUNDS)) rounds.push(await shred(stand, tenant, 0));
  say(`${ABSENT} boxes are away`);
  const absent: Round[] = [];
  for (const tenant of others.slice(ROUNDS)) absent.push(await shred(stand, tenant, ABSENT));
  const last = (some: readonly Round[]) => spread(some.map(({ fromApproval }) => Math.max(...fromApproval)));
  const result = {
    machine: describeMachine(),
    boxes: BOXES,
    rounds: rounds.length,
    lastBoxMs: last(rounds),
    eachBoxMs: spread(rounds.flatMap(({ fromApproval }) => fromApproval)),
    lastBoxAfterDestructionMs: spread(rounds.map(({ fromDestruction }) => Math.max(...fromDestruction))),
    receiptsMs: spread(rounds.map(({ receiptsMs }) => receiptsMs)),
    absent: {
      boxes: ABSENT,
      rounds: absent.length,
      lastPresentBoxMs: last(absent),
      afterConnectMs: spread(absent.flatMap(({ afterConnect }) => afterConnect)),
    },
    targetMs: TARGET_MS,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.lastBoxMs.p99 <= TARGET_MS ? 0 : 1;
} catch (error) {
  if (process.env.KEEP) say(folder);
  throw error;
} finally {
  await stand.stop();
  if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true });
}
