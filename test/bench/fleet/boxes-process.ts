import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../../shared/lease/public-key.ts';
import { BenchBox } from './bench-box.ts';
import { OwnAddressUplink } from './own-address-uplink.ts';
import { ReportingPart } from './reporting-part.ts';

export interface BoxSetup {
  readonly device: string;
  /** Of loopback. */
  readonly address: string;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}
export interface BoxesSetup {
  readonly org: string;
  readonly port: number;
  readonly ca: string;
  readonly commandKeys: readonly PublicKey[];
  readonly boxes: readonly BoxSetup[];
}
export type BoxesRequest =
  | { readonly do: 'start'; readonly setup: BoxesSetup }
  /** So many of them, the first ones, lose their connection, or get it back. */
  | { readonly do: 'leave' | 'return'; readonly boxes: number }
  /** Answers when so many of them have been told to remove a tenant. */
  | { readonly do: 'told'; readonly tenant: string; readonly boxes: number }
  /** Answers when so many words of theirs are kept, of all that they have said. */
  | { readonly do: 'kept'; readonly words: number }
  /** Has a box ask for a lease, one after the other, until it is asked how long each took. */
  | { readonly do: 'lease'; readonly tenant: string }
  | { readonly do: 'leases' };
export interface BoxesAnswer {
  /** When each box was told. Milliseconds since the Unix epoch, as all times here. */
  readonly told: readonly number[];
  /** Of those that came back since: how long after their connection stood. */
  readonly afterConnect: readonly number[];
  readonly at: number;
  readonly leaseMs: readonly number[];
}

const PATIENCE_MS = 120_000;
const logger = pino({ level: 'silent' });
const boxes: { readonly box: BenchBox; readonly uplink: OwnAddressUplink }[] = [];
const told = new Map<string, { at: number; sinceConnect: number }[]>();
const kept = new Set<string>();
let back = 0;
let leaseMs: number[] = [];
let leasing = false;

function start({ org, port, ca, commandKeys, boxes: wanted }: BoxesSetup): void {
  for (const { device, address, cert, key } of wanted) {
    const privateKey = createPrivateKey(key);
    const publicKey = publicKeySchema.parse(createPublicKey(privateKey).export({ format: 'jwk' }));
    const uplink = new OwnAddressUplink({ device, address, port, credentials: { ca, cert, key: Buffer.from(key) }, logger });
    const parts = [new ReportingPart({ device, org, uplink, commandKeys })];
    const options = { device, uplink, commandKeys, key: { privateKey, publicKey }, tenants: [], onLease: () => undefined, parts, logger };
    const box = new BenchBox(options);
    box.onShred = (tenant) => {
      const at = Date.now();
      told.set(tenant, [
        ...(told.get(tenant) ?? []),
        { at, sinceConnect: uplink.connectedAt > back && back > 0 ? at - uplink.connectedAt : -1 },
      ]);
    };
    box.onKept = (word) => void kept.add(word);
    boxes.push({ box, uplink });
    void box.start();
  }
}

async function lease(tenant: string): Promise<void> {
  leasing = true;
  for (let at = 0; leasing; at += 1) {
    const startedAt = performance.now();
    try {
      await boxes[at % boxes.length]?.box.lease(tenant);
      leaseMs.push(performance.now() - startedAt);
    } catch (error) {
      // Asked as fast as they are answered, few boxes ask more often than boxes may.
      if (!(error instanceof SecureGateError) || error.code !== 'rate_limited') throw error;
      await pause(Number(error.details.retryAfter) * 1000);
    }
  }
}

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(what());
    await pause(10);
  }
}

async function serve(request: BoxesRequest): Promise<void> {
  const allConnected = (): boolean => boxes.every(({ box }) => box.connected);
  switch (request.do) {
    case 'start':
      start(request.setup);
      return await until(allConnected, () => 'not all boxes connected');
    case 'leave':
      await Promise.all(boxes.slice(0, request.boxes).map(({ uplink }) => uplink.stop()));
      return;
    case 'return':
      back = Date.now();
      for (const { uplink } of boxes.slice(0, request.boxes)) uplink.start();
      return;
    case 'told': {
      const of = (): number => told.get(request.tenant)?.length ?? 0;
      return await until(
        () => of() >= request.boxes,
        () => `only ${of()} boxes were told of ${request.tenant}`,
      );
    }
    case 'kept':
      return await until(
        () => kept.size >= request.words,
        () => `only ${kept.size} of ${request.words} words are kept`,
      );
    case 'lease':
      void lease(request.tenant);
      return;
    case 'leases':
      leasing = false;
  }
}

process.on('disconnect', () => process.exit());
process.on('message', async (request: BoxesRequest) => {
  await serve(request);
  const words = request.do === 'told' ? (told.get(request.tenant) ?? []) : [];
  process.send?.({
    told: words.map(({ at }) => at),
    afterConnect: words.flatMap(({ sinceConnect }) => (sinceConnect < 0 ? [] : [sinceConnect])),
    at: Date.now(),
    leaseMs,
  } satisfies BoxesAnswer);
  if (request.do === 'leases') leaseMs = [];
});
