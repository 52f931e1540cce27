import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { keyHash } from '../../cloud/fleet/pki/key-hash.ts';
import { LogAnchor } from '../../edge/link/witness/log-anchor.ts';
import { LogMemory } from '../../edge/link/witness/log-memory.ts';
import { Witness } from '../../edge/link/witness/witness.ts';
import { Tpm } from '../../edge/runtime/tpm/tpm.ts';
import { replySchema } from '../../shared/fleet/reply.ts';
import { newId } from '../../shared/ids/ids.ts';
import { followKeyChanges } from '../../shared/lease/follow-key-changes.ts';
import { type PublicKey, publicKeySchema } from '../../shared/lease/public-key.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { MemoryTransport } from './memory-transport.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { tempFolder } from './temp-folder.ts';

/** A box as far as it watches the log of its control plane. */
export class WitnessingBox {
  readonly id = newId('box');
  readonly memory: LogMemory;
  /** That of the memory. */
  readonly file: string;
  readonly anchor: LogAnchor | undefined;
  /** Pinned, the one that counts first. */
  auditKeys: readonly PublicKey[] = [];
  /** Added to the clock of the box, milliseconds. */
  later = 0;
  #witness: Witness | undefined;
  readonly #transport: MemoryTransport;
  readonly #key: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

  private constructor(folder: string, transport: MemoryTransport, tcti: string | undefined) {
    this.file = join(folder, 'log.json');
    this.memory = new LogMemory(this.file, join(folder, 'log-evidence.jsonl'));
    const of = { device: this.id, key: this.#key, now: () => Date.now() + this.later };
    this.anchor = tcti === undefined ? undefined : new LogAnchor({ tpm: new Tpm(tcti), ...of });
    this.#transport = transport;
  }

  /** @param tcti where its TPM is; without it, it has none */
  static async start(transport: MemoryTransport, pinned: readonly PublicKey[], tcti?: string): Promise<WitnessingBox> {
    const box = new WitnessingBox(await tempFolder(), transport, tcti);
    box.auditKeys = pinned;
    const uplink = transport.uplink(box.id);
    const witness = new Witness({
      device: box.id,
      uplink,
      auditKeys: () => box.auditKeys,
      learn: async (changes) => {
        box.auditKeys = (await followKeyChanges('audit', box.auditKeys, changes)).keys;
      },
      memory: box.memory,
      anchor: box.anchor,
      sign: (type, claims) => box.sign(type, claims),
      now: Date.now,
      backOff: new BackOff(20, 100),
      logger: testLogger('edge'),
    });
    box.#witness = witness;
    uplink.onMessage(async (_channel, payload) => {
      const reply = replySchema.parse(JSON.parse(payload.toString()));
      if (reply.kind === 'log-head') witness.onReply['log-head']?.(reply);
    });
    uplink.onConnect(async () => witness.onConnect());
    witness.start();
    onTestFinished(() => witness.stop());
    return box;
  }

  get keyHash(): string {
    return keyHash(createPublicKey(this.#key));
  }

  /** Why its TPM could not be asked. */
  get trouble(): string | undefined {
    return this.#witness?.trouble;
  }

  /** Asks anew how the log goes on. */
  async ask(): Promise<void> {
    await this.#transport.connect(this.id);
  }

  async sign(type: string, claims: object): Promise<string> {
    const own = publicKeySchema.parse(createPublicKey(this.#key).export({ format: 'jwk' }));
    return await signJwt(type, claims, own, async (input) => sign('sha256', input, { key: this.#key, dsaEncoding: 'ieee-p1363' }));
  }
}
