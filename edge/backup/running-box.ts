import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import { BoxConnection, type BoxConnectionOptions } from '../appliance/box-connection.ts';
import { KEY_ORIGINS } from '../appliance/tenant-policies.ts';
import type { BackupSource } from './backup-source.ts';

const systemSchema = z.object({ box: idSchema('box') });
const tenantsSchema = z.object({
  items: z.array(
    z.object({
      id: slugSchema,
      org: slugSchema,
      matchThreshold: z.number().nullable(),
      unmatchedTtlMs: z.number(),
      sightingsDays: z.number(),
      keys: z.enum(KEY_ORIGINS),
      fixed: z.boolean(),
    }),
  ),
});

/** A box whose daemon runs: it is asked by its API. */
export class RunningBox implements BackupSource {
  readonly #connection: BoxConnection;
  #box = '';
  #tenants: BackupSource['tenants'] = [];

  constructor(options: BoxConnectionOptions) {
    this.#connection = new BoxConnection(options);
  }

  get box(): string {
    return this.#box;
  }

  get tenants(): BackupSource['tenants'] {
    return this.#tenants;
  }

  /**
   * @throws {SecureGateError} `file_unreadable` (no admin token), `config_invalid` (its port is not known), `box_unreachable`,
   * `unauthenticated`
   */
  async open(): Promise<void> {
    await this.#connection.open();
    this.#box = systemSchema.parse(await this.#connection.ask('GET', '/v1/system')).box;
    const { items } = tenantsSchema.parse(await this.#connection.ask('GET', '/v1/tenants'));
    this.#tenants = items.map(({ id, org, fixed, ...policy }) => ({ id, org, policy: fixed ? null : policy }));
  }

  async *data(tenant: string): AsyncGenerator<Buffer> {
    const answer = await this.#connection.answer('GET', `/v1/tenants/${tenant}/backup`);
    try {
      yield* answer;
    } catch (cause) {
      throw new SecureGateError('copy_outdated', 'The box broke off', { cause });
    }
  }
}
