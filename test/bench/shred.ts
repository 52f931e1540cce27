import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { changedKeys, keptKeys } from '../helpers/kept-keys.ts';
import { FleetStand, ORG } from './fleet/fleet-stand.ts';
import { describeMachine } from './report/describe-machine.ts';

// From the second person's approval of a shred to the last box that was told of it. Control plane with its broker, KMS on SoftHSM2, and the
// boxes, which have the product's own link, are processes on this one machine.
const BOXES = Number(process.env.BOXES ?? 1000);
const ROUNDS = Number(process.env.ROUNDS ?? 10);
const ROUNDS_WITH_ABSENT = Number(process.env.ROUNDS_WITH_ABSENT ?? 3);
const ABSENT = Math.round(BOXES / 5);
const PROCESSES = 2;
const TARGET_MS = 2000;
const TENANTS = Number(process.env.TENANTS ?? 1000);
const FEW_BOXES = 20;
const FEW_ROUNDS = 5;
/** In which leases are renewed and nothing else happens. */
const CALM_MS = 3000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Round {
  /** Milliseconds from the answer to the second approval, for each box that is connected. */
  readonly fromApproval: readonly number[];
  readonly fromDestruction: readonly number[];
  readonly receiptsMs: number;
  readonly afterConnect: readonly number[];
  /** Processor time until the last box was told. */
  readonly cpuMs: ReturnType<FleetStand['cpuMs']>;
}

let words = 0;
async function shred(stand: FleetStand, tenant: string, absent = 0): Promise<Round> {
  if (absent > 0) await stand.tell((boxes) => ({ do: 'leave', boxes }), absent);
  const { id } = await stand.ask(0, 'POST', '/shreds', { tenant, graceMinutes: 0 });
  await stand.ask(0, 'POST', `/shreds/${id}/approve`);
  await stand.ask(1, 'POST', `/shreds/${id}/approve`);
  const approvedAt = Date.now();
  const before = stand.cpuMs();
  const present = await stand.tell((boxes) => ({ do: 'told', tenant, boxes }), stand.boxes - absent);
  const told = present.flatMap((answer) => answer.told);
  const after = stand.cpuMs();
  words += stand.boxes - absent;
  const keptAt = Math.max(...(await stand.tell((share) => ({ do: 'kept', words: share }), words)).map(({ at }) => at));
  let afterConnect: number[] = [];
  if (absent > 0) {
    await stand.tell((boxes) => ({ do: 'return', boxes }), absent);
    afterConnect = (await stand.tell((boxes) => ({ do: 'told', tenant, boxes }))).flatMap((answer) => answer.afterConnect);
    words += absent;
    await stand.tell((share) => ({ do: 'kept', words: share }), words);
  }
  const { state, destroyedAt, boxes } = await stand.ask(0, 'GET', `/shreds/${id}`);
  const erased = (boxes as { state: string; receipt: string | null }[]).filter(({ receipt }) => receipt !== null).length;
  if (erased !== stand.boxes) throw new Error(`${erased} of ${stand.boxes} boxes have a receipt; the shred is ${String(state)}`);
  const round = {
    fromApproval: told.map((at) => at - approvedAt),
    fromDestruction: told.map((at) => at - Date.parse(String(destroyedAt))),
    receiptsMs: keptAt - approvedAt,
    afterConnect,
    cpuMs: { controlPlane: after.controlPlane - before.controlPlane, kms: after.kms - before.kms, boxes: after.boxes - before.boxes },
  };
  say(`  ${tenant}: last box after ${Math.max(...round.fromApproval)} ms, all receipts after ${round.receiptsMs} ms`);
  return round;
}

function spread(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Shreds while many boxes are connected, or some of them away. */
async function shredOnMany(folder: string) {
  const stand = new FleetStand(folder);
  try {
    say(`making ${BOXES} boxes`);
    await stand.make(BOXES);
    const tenants = namesOf('hall', ROUNDS + ROUNDS_WITH_ABSENT + 1);
    await stand.addTenants(tenants, BOXES);
    say('they connect');
    await stand.run(PROCESSES);
    const [first = '', ...others] = tenants;
    say('one round to warm up, then those that count');
    await shred(stand, first);
    const rounds: Round[] = [];
    for (const tenant of others.slice(0, ROUNDS)) rounds.push(await shred(stand, tenant));
    say(`${ABSENT} boxes are away`);
    const absent: Round[] = [];
    for (const tenant of others.slice(ROUNDS)) absent.push(await shred(stand, tenant, ABSENT));
    return {
      boxes: BOXES,
      rounds: rounds.length,
      lastBoxMs: lastOf(rounds),
      eachBoxMs: spread(rounds.flatMap(({ fromApproval }) => fromApproval)),
      lastBoxAfterDestructionMs: spread(rounds.map(({ fromDestruction }) => Math.max(...fromDestruction))),
      receiptsMs: spread(rounds.map(({ receiptsMs }) => receiptsMs)),
      cpuMs: rounds.at(-1)?.cpuMs,
      absent: {
        boxes: ABSENT,
        rounds: absent.length,
        lastPresentBoxMs: lastOf(absent),
        afterConnectMs: spread(absent.flatMap(({ afterConnect }) => afterConnect)),
      },
    };
  } finally {
    await stand.stop();
  }
}

/** Shreds one tenant after the other of an org of ten, and of one of a thousand, while boxes renew leases of another. */
async function shredAmongMany(folder: string) {
  const stand = new FleetStand(folder);
  words = 0;
  try {
    say('few boxes, and first ten tenants');
    await stand.make(FEW_BOXES);
    await stand.addTenants(namesOf('few', 10), FEW_BOXES);
    const of10 = await shredSome(stand, 'few');
    say(`then ${TENANTS}`);
    await stand.addTenants(namesOf('many', TENANTS - 10), FEW_BOXES);
    words = 0;
    return { of10, [`of${TENANTS}`]: await shredSome(stand, 'many') };
  } finally {
    await stand.stop();
  }
}

async function shredSome(stand: FleetStand, name: string) {
  await stand.run(1);
  const leases = async () => spread((await stand.tell(() => ({ do: 'leases' }))).flatMap(({ leaseMs }) => leaseMs));
  await stand.tell(() => ({ do: 'lease', tenant: `${name}-${FEW_ROUNDS}` }));
  await pause(CALM_MS);
  const leaseMsBefore = await leases();
  const before = keptKeys(stand.kms);
  await stand.tell(() => ({ do: 'lease', tenant: `${name}-${FEW_ROUNDS}` }));
  const rounds: Round[] = [];
  const shredded = namesOf(name, FEW_ROUNDS);
  for (const tenant of shredded) rounds.push(await shred(stand, tenant));
  const leaseMsMeanwhile = await leases();
  const after = keptKeys(stand.kms);
  await stand.rest();
  const [teks, objects] = [changedKeys(before.teks, after.teks), changedKeys(before.objects, after.objects)];
  const ofOthers = [...teks.changed, ...teks.gone].filter((key) => !shredded.some((tenant) => key === `${ORG}/${tenant}/1`));
  // Their cells, and the number of the records that was counted before.
  const gone = objects.gone.length - shredded.length - 1;
  return {
    tenants: before.teks.size,
    rounds: rounds.length,
    lastBoxMs: lastOf(rounds),
    leaseMs: { before: leaseMsBefore, meanwhile: leaseMsMeanwhile },
    othersChanged: ofOthers.length + objects.changed.length + gone,
  };
}

function namesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at}`);
}

function lastOf(rounds: readonly Round[]): ReturnType<typeof spread> {
  return spread(rounds.map(({ fromApproval }) => Math.max(...fromApproval)));
}

const [folder, other] = ['boxes', 'tenants'].map((name) => mkdtempSync(join(tmpdir(), `securegate-bench-shred-${name}-`))) as [
  string,
  string,
];
try {
  const fleet = await shredOnMany(folder);
  const tenants = await shredAmongMany(other);
  const othersChanged = Object.values(tenants).reduce((sum, one) => sum + one.othersChanged, 0);
  const result = { machine: describeMachine(), ...fleet, targetMs: TARGET_MS, tenants: { ...tenants, othersChanged } };
  const { lastBoxMs, eachBoxMs, receiptsMs, absent } = result;
  process.stdout.write(
    [
      `${BOXES} boxes are told of a shred: each after p50 ${eachBoxMs.p50} ms, p99 ${eachBoxMs.p99} ms; the last one after p50 ${lastBoxMs.p50} ms, p99 ${lastBoxMs.p99} ms (target ${TARGET_MS} ms)`,
      `what all of them signed is kept after ${receiptsMs.p50} ms; one that was away is told ${absent.afterConnectMs.p50} ms after it connects, p99 ${absent.afterConnectMs.p99} ms`,
      ...Object.values(tenants).map(
        (one) =>
          `one of ${one.tenants} tenants: the last box after ${one.lastBoxMs.p50} ms; leases of another p99 ${Math.round(one.leaseMs.before.p99)} ms before, ${Math.round(one.leaseMs.meanwhile.p99)} ms meanwhile; ${one.othersChanged} keys of others changed`,
      ),
      '',
    ].join('\n'),
  );
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = lastBoxMs.p99 <= TARGET_MS && othersChanged === 0 ? 0 : 1;
} finally {
  for (const made of [folder, other]) rmSync(made, { recursive: true, force: true });
}
