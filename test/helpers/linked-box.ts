import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import Database from 'better-sqlite3';
import { keyHash } from '../../cloud/fleet/pki/key-hash.ts';
import { APPLIANCE_SCHEMA } from '../../edge/appliance/appliance-schema.ts';
import { StoredCommands } from '../../edge/appliance/stored-commands.ts';
import type { Executors } from '../../edge/link/commands/executors.ts';
import { Link } from '../../edge/link/link.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type PublicKey, publicKeySchema } from '../../shared/lease/public-key.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { MemoryTransport } from './memory-transport.ts';

export interface LinkedBoxOptions {
  readonly transport: MemoryTransport;
  readonly commandKeys: readonly PublicKey[];
  readonly executors: Executors;
  readonly now: () => number;
}

/** The box's side of the link over a journal in memory, which outlives a crash of the box. */
export class LinkedBox {
  readonly id = newId('box');
  journal: StoredCommands;
  #disk = newDisk();
  #link: Link | undefined;
  #key: KeyObject = newKey();
  readonly #options: LinkedBoxOptions;

  constructor(options: LinkedBoxOptions) {
    this.#options = options;
    this.journal = new StoredCommands(this.#disk);
  }

  get publicKey(): PublicKey {
    return publicKeySchema.parse(createPublicKey(this.#key).export({ format: 'jwk' }));
  }

  get keyHash(): string {
    return keyHash(createPublicKey(this.#key));
  }

  async sign(type: string, claims: object): Promise<string> {
    return await signJwt(type, claims, this.publicKey, async (input) =>
      sign('sha256', input, { key: this.#key, dsaEncoding: 'ieee-p1363' }),
    );
  }

  async start(): Promise<void> {
    const { transport, commandKeys, executors, now } = this.#options;
    this.#link = new Link({
      device: this.id,
      uplink: transport.uplink(this.id),
      commandKeys: () => commandKeys,
      journal: this.journal,
      executors,
      sign: (type, claims) => this.sign(type, claims),
      key: this.publicKey,
      keys: async () => [{ org: 'acme', tenant: 'hall', epoch: 1, endsAt: null }],
      now,
      waits: () => new BackOff(2, 500),
      parts: [],
      logger: createLogger('edge', { level: 'silent' }),
    });
    await this.#link.start();
  }

  /** Ends without a word: what was at work is known no more. */
  async crash(): Promise<void> {
    this.#options.transport.cut(this.id);
    await this.#link?.stop();
  }

  /** It has left, and enrolled anew: by a key of its own, as each time. Not while it is running. */
  replaceKey(): void {
    this.#key = newKey();
  }

  /** Its disk as it is now. @returns what puts that into the box's place while it is not running */
  copyDisk(): () => void {
    const copy = this.#disk.serialize();
    return () => {
      this.#disk = new Database(copy);
      this.journal = new StoredCommands(this.#disk);
    };
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function newDisk(): Database.Database {
  const database = new Database(':memory:');
  for (const step of APPLIANCE_SCHEMA) database.exec(step);
  return database;
}
