import type { Reply } from '../../../shared/fleet/reply.ts';
import { requestSchema } from '../../../shared/fleet/request.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Courier } from '../courier.ts';
import type { Takers } from '../reception.ts';
import type { Recoveries } from '../recoveries.ts';

/** When all boxes connect at a time, the KMS is not asked by each. */
const TOLD_FOR_MS = 10_000;

export interface ToldKeysOptions {
  readonly courier: Pick<Courier, 'send'>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly recoveries: Pick<Recoveries, 'later'>;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
}

/** Tells boxes how the keys have changed by which commands and leases are signed. */
export class ToldKeys {
  readonly #options: ToldKeysOptions;
  #readAt = Number.NEGATIVE_INFINITY;
  #changes: Promise<string[]> = Promise.resolve([]);

  constructor(options: ToldKeysOptions) {
    this.#options = options;
  }

  readonly takers: Takers = {
    requests: async (device, { org }, payload) => {
      const request = requestSchema.parse(JSON.parse(payload.toString()));
      if (request.kind !== 'key-changes') return;
      const lost = await this.#options.recoveries.later(org, request.recovery);
      const reply: Reply = { kind: 'key-changes', id: request.id, changes: await this.#read(), lost };
      await this.#options.courier.send(device, 'replies', Buffer.from(JSON.stringify(reply)));
    },
  };

  async #read(): Promise<string[]> {
    const { kms, monotonic } = this.#options;
    if (monotonic() - this.#readAt < TOLD_FOR_MS) return await this.#changes;
    const histories = Promise.all((['commands', 'leases'] as const).map((use) => kms.call('keyHistory', { use })));
    this.#changes = histories.then((all) => all.flatMap(({ changes }) => changes));
    await this.#changes;
    this.#readAt = monotonic();
    return await this.#changes;
  }
}
