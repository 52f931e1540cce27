import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { AuditLog } from '../../../cloud/audit/audit-log.ts';
import { Broker } from '../../../cloud/broker/broker.ts';
import { Ledger } from '../../../cloud/fleet/ledger/ledger.ts';
import { MqttCourier } from '../../../cloud/fleet/mqtt-courier.ts';
import { Reception } from '../../../cloud/fleet/reception.ts';
import { Recoveries } from '../../../cloud/fleet/recoveries.ts';
import { LeaseRequests } from '../../../cloud/fleet/requests/lease-requests.ts';
import { KmsClient } from '../../../cloud/kms/client.ts';
import { openStore } from '../../../cloud/store/open-store.ts';
import { newOrgSchema } from '../../../cloud/tenants/org.ts';
import { Orgs } from '../../../cloud/tenants/orgs.ts';

export interface CloudSetup {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly brokerFile: string;
  readonly storeFile: string;
  readonly kmsSocket: string;
  /** Of the key by which every box signs. */
  readonly signingKey: string;
}
export type CloudRequest =
  | { readonly do: 'start'; readonly setup: CloudSetup }
  /** Gives a command, and answers nothing: the box knows when it has come. */
  | { readonly do: 'command'; readonly device: string }
  | { readonly do: 'measure' };
export interface CloudAnswer {
  readonly port: number;
  readonly rssMib: number;
  /** Highest since the last answer. */
  readonly mostRssMib: number;
  readonly cpuMs: number;
}

const MANY = 100_000;
const ADA = `usr_${'a'.repeat(26)}`;
const logger = pino({ level: 'silent' });
let ledger: Ledger | undefined;
let port = 0;
let mostRss = 0;

async function start({ cert, key, ca, brokerFile, storeFile, kmsSocket, signingKey }: CloudSetup): Promise<void> {
  const broker = new Broker({
    listen: { host: '127.0.0.1', port: 0 },
    certificates: () => ({ cert, key: Buffer.from(key), ca: [ca] }),
    devices: { isAllowed: async () => true },
    controlPlane: 'control-plane',
    file: brokerFile,
    // They all come from one address here.
    limits: { connectionsEach: MANY, connectsAMinute: MANY, connections: MANY },
    now: Date.now,
    logger,
  });
  await broker.start();
  port = broker.port;
  const courier = new MqttCourier({
    open: () => broker.connect(),
    name: 'control-plane',
    kick: (device) => broker.kick(device),
    random: Math.random,
    logger,
  });
  const { db } = await openStore({ file: storeFile });
  const { id, ...fields } = newOrgSchema.parse({ id: 'acme', name: 'Acme', jurisdiction: 'CH' });
  await new Orgs(db, Date.now).create(id, fields);
  const kms = new KmsClient(kmsSocket);
  const boxes = { find: async () => ({ org: 'acme', signingKeys: [signingKey] }) };
  const audit = new AuditLog({ db, now: Date.now, random: randomBytes });
  ledger = new Ledger({ commandDays: 400, boxes, audit, courier, db, kms, now: Date.now, random: Math.random, logger });
  ledger.start();
  const leases = new LeaseRequests({
    courier,
    kms,
    recoveries: new Recoveries({ db, kms, now: Date.now }),
    monotonic: () => performance.now(),
    logger,
  });
  new Reception({ courier, boxes, takers: [ledger.takers, leases.takers], logger }).start();
  courier.start();
}

setInterval(() => {
  mostRss = Math.max(mostRss, process.memoryUsage().rss);
}, 100);

process.on('disconnect', () => process.exit());
process.on('message', async (request: CloudRequest) => {
  if (request.do === 'command') {
    const { commands } = ledger as Ledger;
    await commands.create('acme', commands.newId(), ADA, { device: request.device, order: { kind: 'sync', body: {} } });
    return;
  }
  if (request.do === 'start') await start(request.setup);
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  process.send?.({ port, rssMib: mib(rss), mostRssMib: mib(Math.max(rss, mostRss)), cpuMs: Math.round((user + system) / 1000) });
  mostRss = 0;
});
