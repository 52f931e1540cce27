import { onTestFinished } from 'vitest';
import { OutboxSources } from '../../edge/box/outbox-sources.ts';
import { Outbox } from '../../edge/link/outbox/outbox.ts';
import type { Source } from '../../edge/link/outbox/source.ts';
import { type OutboxSettings, tenantFiles, type VaultClient } from '../../edge/vault/client.ts';
import { replySchema } from '../../shared/fleet/reply.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { MemoryTransport } from './memory-transport.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { type TestBox, testBox, testClient } from './vault.ts';

export const ROOM: OutboxSettings = { bytes: 2 ** 20, whenFull: 'drop-oldest' };

/** A box whose tenants' vaults run in processes of their own, with what tells the control plane of them. */
export class TellingBox {
  readonly id: string;
  readonly vaults: ReadonlyMap<string, VaultClient>;
  /** Beside those of the vaults. */
  readonly more: Source[] = [];
  readonly #dataDir: string;
  readonly #transport: MemoryTransport;
  #outbox: Outbox | undefined;

  private constructor(box: TestBox, transport: MemoryTransport, vaults: ReadonlyMap<string, VaultClient>) {
    this.id = box.box;
    this.#dataDir = box.dataDir;
    this.#transport = transport;
    this.vaults = vaults;
  }

  static async make(transport: MemoryTransport, tenants: readonly string[], settings = ROOM): Promise<TellingBox> {
    const box = await testBox();
    const vaults = new Map(tenants.map((tenant) => [tenant, testClient(box, tenant, settings)]));
    for (const vault of vaults.values()) await vault.start();
    const telling = new TellingBox(box, transport, vaults);
    await telling.start();
    onTestFinished(() => telling.stop());
    return telling;
  }

  vault(tenant: string): VaultClient {
    const vault = this.vaults.get(tenant);
    if (vault === undefined) throw new Error(`no ${tenant}`);
    return vault;
  }

  /** Where the files of a tenant lie. */
  folder(tenant: string): string {
    return tenantFiles(this.#dataDir, tenant).folder;
  }

  /** The daemon's part, anew: it remembers nothing of what was told before. */
  async start(): Promise<void> {
    const uplink = this.#transport.uplink(this.id);
    const sources = new OutboxSources({
      list: () => Array.from(this.vaults.keys(), (id) => ({ id, org: 'acme', keys: 'lease' }) as never),
      vault: (tenant) => this.vault(tenant),
    });
    const outbox = new Outbox({
      uplink,
      sources: () => [...sources.list(), ...this.more],
      waits: () => new BackOff(5, 500),
      now: Date.now,
      monotonic: () => performance.now(),
      logger: testLogger('edge'),
      lookEveryMs: 10,
      turnMs: 1,
    });
    uplink.onMessage(async (_channel, payload) => {
      const reply = replySchema.parse(JSON.parse(payload.toString()));
      if (reply.kind === 'kept') outbox.onReply.kept?.(reply);
    });
    uplink.onConnect(async () => outbox.onConnect());
    outbox.start();
    this.#outbox = outbox;
  }

  async connect(): Promise<void> {
    await this.#transport.connect(this.id);
  }

  /** Ends without a word: what was under way is known no more. */
  async stop(): Promise<void> {
    this.#transport.cut(this.id);
    await this.#outbox?.stop();
  }

  /** Whether nothing waits any more, as far as the vaults are there to say so. */
  async isQuiet(): Promise<boolean> {
    const waiting = Array.from(this.vaults.values(), async (vault) => [
      ...(await vault.untoldSightings(1000)),
      ...(await vault.untoldUsage()),
    ]);
    return await Promise.all(waiting).then(
      (all) => all.flat().length === 0,
      () => false,
    );
  }
}
