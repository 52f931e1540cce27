import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import {
  COSIGNATURE_TYPE,
  cosignatureSchema,
  LOG_REFUSAL_TYPE,
  type LogHead,
  logRefusalSchema,
  readHead,
} from '../../../shared/audit/log-tokens.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Reply } from '../../../shared/fleet/reply.ts';
import { type Request, requestSchema } from '../../../shared/fleet/request.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { LogHeads } from '../../audit/log-heads.ts';
import type { LogTree } from '../../audit/log-tree.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBox } from '../known-boxes.ts';
import type { Takers } from '../reception.ts';
import { verifyBoxToken } from '../verify-box-token.ts';

export interface WitnessesOptions {
  readonly db: Kysely<Database>;
  readonly courier: Pick<Courier, 'send'>;
  readonly audit: AuditLog;
  readonly tree: LogTree;
  readonly heads: LogHeads;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Tells boxes how the log goes on, and keeps what they sign of it. */
export class Witnesses {
  readonly #options: WitnessesOptions;

  constructor(options: WitnessesOptions) {
    this.#options = options;
  }

  readonly takers: Takers = {
    requests: async (device, box, payload) => {
      const request = requestSchema.parse(JSON.parse(payload.toString()));
      if (request.kind === 'log-head') await this.#tell(device, request);
      if (request.kind === 'log-cosigned') await this.#keep(device, box, request.token);
      if (request.kind === 'log-refused') await this.#hearRefusal(device, box, request.token);
    },
  };

  async #tell(device: string, { id, head }: Extract<Request, { kind: 'log-head' }>): Promise<void> {
    const { courier, heads, logger } = this.#options;
    const kept = head === null ? undefined : readHead(head);
    const update = await heads.update(kept);
    if (kept && !(await this.#remembers(kept))) {
      logger.error(
        { device, kept },
        'a box has seen a log that this one does not go on from: after a restore, declare it (securegate audit declare-fork)',
      );
    }
    const reply: Reply = { kind: 'log-head', id, update };
    await courier.send(device, 'replies', Buffer.from(JSON.stringify(reply)));
  }

  async #keep(device: string, { org, signingKeys }: KnownBox, token: string): Promise<void> {
    const { db, now } = this.#options;
    const cosigned = await verifyWord(token, { type: COSIGNATURE_TYPE, schema: cosignatureSchema, device, signingKeys });
    if (!(await this.#remembers(cosigned))) throw new SecureGateError('log_head_rejected', 'This head is none of this log');
    const { log, size } = cosigned;
    const row = { org, log, size, at: now(), token };
    await db
      .insertInto('log_cosignatures')
      .values({ device, ...row })
      .onConflict((conflict) => conflict.column('device').doUpdateSet(row))
      .execute();
  }

  async #hearRefusal(device: string, { org, signingKeys }: KnownBox, token: string): Promise<void> {
    const { audit, now, logger } = this.#options;
    const { reason } = await verifyWord(token, { type: LOG_REFUSAL_TYPE, schema: logRefusalSchema, device, signingKeys });
    logger.error({ device, reason }, 'a box has refused the head of the log');
    const evidence = createHash('sha256').update(token).digest('base64url');
    const about = { operation: 'audit.witness', org, tenant: '', target: device, outcome: reason, evidence };
    await audit.record({ at: now(), request: evidence, actor: device, ...about });
  }

  /** Whether a head is one of this log as it is now, or as it was before a fork that was declared. */
  async #remembers({ log, size, root }: LogHead): Promise<boolean> {
    const { tree, heads } = this.#options;
    if (size > (await heads.sizeOf(log))) return false;
    return (await tree.root(size)) === root;
  }
}

async function verifyWord<Schema extends Parameters<typeof verifyBoxToken>[1]['schema']>(
  token: string,
  options: Parameters<typeof verifyBoxToken<Schema>>[1],
) {
  try {
    return await verifyBoxToken(token, options);
  } catch (cause) {
    throw new SecureGateError('log_head_rejected', 'This is not what the box signed', { cause });
  }
}
