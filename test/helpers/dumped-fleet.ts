import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Kysely } from 'kysely';
import { AuditLog } from '../../cloud/audit/audit-log.ts';
import type { Courier } from '../../cloud/fleet/courier.ts';
import { DesiredStates } from '../../cloud/fleet/desired/desired-states.ts';
import { Devices } from '../../cloud/fleet/devices/devices.ts';
import { EnrolmentTokens } from '../../cloud/fleet/enrolment/enrolment-tokens.ts';
import { Telemetries } from '../../cloud/fleet/intake/box-telemetry.ts';
import { keepSightings } from '../../cloud/fleet/intake/keep-sightings.ts';
import { keepUsage } from '../../cloud/fleet/intake/keep-usage.ts';
import { SightingCounts } from '../../cloud/fleet/intake/sighting-counts.ts';
import { Usage } from '../../cloud/fleet/intake/usage.ts';
import { acknowledge } from '../../cloud/fleet/ledger/acknowledge.ts';
import { Ledger } from '../../cloud/fleet/ledger/ledger.ts';
import { Links } from '../../cloud/fleet/ledger/links.ts';
import { Authorities } from '../../cloud/fleet/pki/authorities.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { Erasures } from '../../cloud/shred/erasures.ts';
import { Shredding } from '../../cloud/shred/shredding.ts';
import { Shreds } from '../../cloud/shred/shreds.ts';
import type { Database } from '../../cloud/store/database.ts';
import { newTenantSchema } from '../../cloud/tenants/org.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { ACK_TYPE, type AckClaims } from '../../shared/fleet/ack.ts';
import { createLogger } from '../../shared/log/create-logger.ts';

const NOW = Date.parse('2026-11-22T08:00:00Z');
const DAY = '2026-11-22';
const BOX = `box_${'d'.repeat(26)}`;
const CUSTOMER = `cus_${'e'.repeat(26)}`;
const [ADA, BEA] = [`usr_${'a'.repeat(26)}`, `usr_${'b'.repeat(26)}`];
const PAGE = { limit: 100 };

/** Ids that are the same in each dump, in order. */
function ulid(n: number): string {
  return `01KAMV8Z00000000000000${String(n).padStart(4, '0')}`;
}

/** A box and what comes of it, in a database that has the orgs and tenants of the other tables. */
export async function fillFleet(db: Kysely<Database>): Promise<void> {
  const { desired, tokens, commands, shreds, erasures, shredding, tenants, audit } = parts(db);
  // By which way a box enrols is not what is kept of it.
  const wrapKey = KEY.publicKey.export({ type: 'spki', format: 'der' });
  const keys = { wrap_key: wrapKey.toString('base64url'), wrap: hash('sha256', wrapKey, 'hex'), jkt: ulid(1) };
  const device = { id: BOX, org: 'acme', name: 'Rack 2', state: 'active', ...keys } as const;
  await db
    .insertInto('devices')
    .values({ ...device, version: 3, enrolled_at: NOW })
    .execute();
  await db
    .insertInto('certificates')
    .values({ serial: '0a', device: BOX, key: 'k', not_after: NOW + 86_400_000, denied_at: null })
    .execute();
  await tokens.create('acme', { name: 'Rack 3', hours: 24 }, ADA);
  const { id, ...shed } = newTenantSchema.parse({ id: 'shed', name: 'Shed' });
  await tenants.create('acme', id, shed);

  const links = new Links({ db, now: () => NOW, random: () => 0.5 });
  const settle = async (command: string, receipt: string, claims: Partial<AckClaims>): Promise<void> => {
    const said = {
      aud: 'securegate-cloud',
      sub: BOX,
      iat: NOW / 1000,
      command,
      digest: hash('sha256', command, 'base64url'),
      state: 'SUCCEEDED',
      ...claims,
    } as AckClaims;
    const { publicKey, privateKey } = KEY;
    const header = { alg: 'ES256', typ: ACK_TYPE, jwk: publicKey.export({ format: 'jwk' }) };
    const token = WORDS.get(receipt) ?? (await new SignJWT({ ...said }).setProtectedHeader(header).sign(privateKey));
    WORDS.set(receipt, token);
    await acknowledge({ db, links, audit, now: () => NOW }, [{ receipt, org: 'acme', device: BOX, token, claims: said }]);
  };
  await commands.create('acme', ulid(1), ADA, { device: BOX, order: { kind: 'restart-tenant', body: { tenant: 'hall' } } });
  await commands.create('acme', ulid(2), ADA, { device: BOX, order: { kind: 'sync', body: {} } });
  await settle(ulid(1), ulid(11), { state: 'FAILED', reason: 'vault_unavailable' });

  const camera = { slug: 'door', title: 'Door', url: 'rtsp://192.168.10.21/1', fps: 5, tiles: null, credential: null };
  await desired.cameras.create('acme', 'hall', `rec_${'f'.repeat(26)}`, { device: BOX, ...camera });
  const reported = { version: null, tenants: [], cameras: [], shredded: [], modelSet: 'embedded', boxVersion: '0.1.0' };
  const box = { org: 'acme', signingKeys: [] };
  await desired.takers.reported?.(BOX, box, Buffer.from(JSON.stringify({ report: ulid(22), state: reported })));
  await desired.stop();
  const place = { org: 'acme', tenant: 'hall', device: BOX };
  const seen = { camera: 'door', begunAt: `${DAY}T07:00:00.000Z`, endedAt: `${DAY}T07:00:05.000Z`, known: true, confidence: 7 };
  await keepSightings(db, place, [{ id: `sig_${'g'.repeat(26)}`, ...seen }], NOW);
  await keepUsage(db, place, [{ run: ulid(21), day: DAY, counters: { searches: 3 } }]);
  await new Telemetries(db).keep('acme', BOX, TELEMETRY, NOW);

  await erasures.create('acme', 'hall', ulid(31), ADA, [CUSTOMER]);
  for (const [shred, tenant] of [
    [ulid(41), 'shed'],
    [ulid(42), 'hall'],
  ] as const) {
    await shreds.create('acme', shred, ADA, { tenant, graceMinutes: 0 });
    await shreds.approve('acme', shred, ADA);
  }
  await shreds.approve('acme', ulid(41), BEA);
  const { signal } = new AbortController();
  await erasures.look(signal);
  await shredding.look(signal);
  const { boxes } = await shreds.get('acme', ulid(41));
  const removed = { keyFiles: 1, dataFiles: 2, bytes: 3, customers: 4, tpmCounter: true };
  await settle(boxes[0]?.command ?? '', ulid(12), { removed });
}

/** What is told of it. */
export async function readFleet(db: Kysely<Database>): Promise<Record<string, unknown>> {
  const { devices, tokens, commands, receipts, desired, shreds, erasures } = parts(db);
  const state = await desired.get('acme', BOX);
  return {
    devices: await devices.list('acme', PAGE),
    tokens: await tokens.list('acme', PAGE),
    commands: await commands.list('acme', PAGE),
    words: await receipts.list('acme', PAGE),
    cameras: await desired.cameras.list('acme', 'hall', PAGE),
    state: { desired: state.desired?.state ?? null, reported: state.reported?.state ?? null },
    sightings: await new SightingCounts(db).perDay('acme', 'hall', { from: DAY, to: DAY }),
    usage: await new Usage(db).between('acme', 'hall', { from: DAY, to: DAY }),
    telemetry: await new Telemetries(db).newest('acme', BOX).catch(() => null),
    shreds: await shreds.list('acme', PAGE),
    erasures: await erasures.list('acme', PAGE),
  };
}

/** What is to be sent is written down first. */
const NOBODY = { send: async () => undefined } as unknown as Courier;
/** What the box has signed, the same for each database: a signature is never the same twice. */
const WORDS = new Map<string, string>();
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const TELEMETRY = {
  ...{ version: '0.1.0', uptimeMs: 1000, cameras: { live: 1, others: 0 }, frames: { seen: 5, skipped: 0 }, diskFreeBytes: 1 },
  ...{ tenants: [], warnings: [] },
};

function parts(db: Kysely<Database>) {
  const now = (): number => NOW;
  const random = (size: number): Buffer => Buffer.alloc(size, 7);
  const [logger, boxes] = [createLogger('dump', { level: 'silent' }), { find: async () => ({ org: 'acme', signingKeys: [] }) }];
  const audit = new AuditLog({ db, now, random });
  const common = { db, kms: KMS, boxes, now, random: () => 0.5, logger };
  const { commands, receipts } = new Ledger({ ...common, audit, commandDays: 400 });
  const desired = new DesiredStates({ ...common, courier: NOBODY });
  let made = 50;
  const toldUnder = {
    createAll: (...given: Parameters<typeof commands.createAll>) => commands.createAll(...given),
    newId: () => {
      made += 1;
      return ulid(made);
    },
  };
  const tenants = new Tenants(db, KMS, now);
  const decided = { db, onWaiting: () => undefined, now };
  return {
    ...{ audit, commands, receipts, desired, tenants },
    devices: new Devices(db, KMS, undefined, now),
    tokens: new EnrolmentTokens({ db, authorities: new Authorities({ db, kms: KMS, longestAbsenceMs: 1, now, random }), now, random }),
    shreds: new Shreds(decided),
    erasures: new Erasures({ ...decided, kms: KMS, commands: toldUnder }),
    shredding: new Shredding({ ...common, tenants, commands: toldUnder, desired }),
  };
}

/** What the control plane asks of a KMS on the way; what that keeps is not in these tables. */
const ANSWERS: Readonly<Record<string, (input: { readonly messages?: readonly Buffer[] }) => unknown>> = {
  signingKey: () => KEY.publicKey.export({ format: 'jwk' }),
  sign: ({ messages = [] }) => ({
    signatures: messages.map((message) => sign('sha256', message, { key: KEY.privateKey, dsaEncoding: 'ieee-p1363' })),
  }),
  listHolders: () => [{ device: BOX, enforcement: 'memory', leaseEndsAt: NOW + 3_600_000 }],
  assignedTenants: () => ['hall'],
  freezeTenant: () => ({ begunAt: NOW }),
  destroyTenant: () => ({ state: 'unrecoverable', from: NOW + 86_400_000 }),
};
const KMS: Pick<KmsClient, 'call'> = {
  call: (async (operation: string, input: object) => ANSWERS[operation]?.(input) ?? {}) as KmsClient['call'],
};
