import type { Hello } from '../../shared/fleet/hello.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { CommandJournal } from './commands/command-journal.ts';
import { Telling } from './telling.ts';
import type { Uplink } from './uplink.ts';

export interface GreetingOptions {
  readonly uplink: Uplink;
  readonly journal: Pick<CommandJournal, 'highest' | 'newestReceipt'>;
  /** The tenants' keys that this box holds. */
  readonly keys: () => Promise<Hello['keys']>;
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** Tells the control plane how far this box is, and what it holds, until it is welcomed. */
export class Greeting extends Telling {
  readonly #options: GreetingOptions;
  /** Of the hello that was not answered yet. */
  #session: string | undefined;

  constructor(options: GreetingOptions) {
    super(options);
    this.#options = options;
  }

  /** Says hello: after a connect, or when the ledger seems to have forgotten. */
  sayHello(): void {
    this.#session = newUlid(this.#options.now());
    this.wake();
  }

  welcomed(session: string): void {
    if (session === this.#session) this.#session = undefined;
  }

  protected async tell(): Promise<boolean> {
    const { uplink, journal, keys } = this.#options;
    const session = this.#session;
    if (session === undefined) return true;
    const hello: Hello = { session, highest: journal.highest(), receipt: journal.newestReceipt(), keys: await keys() };
    await uplink.publish('hello', Buffer.from(JSON.stringify(hello)));
    return false;
  }
}
