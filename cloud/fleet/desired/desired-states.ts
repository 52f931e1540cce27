import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DESIRED_TYPE, type DesiredClaims, MOST_DESIRED_CHARACTERS } from '../../../shared/fleet/desired.ts';
import { reportSchema } from '../../../shared/fleet/reported.ts';
import { Ulids } from '../../../shared/ids/ulid.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { UnderWay } from '../../../shared/runtime/under-way.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import type { Takers } from '../reception.ts';
import { replyToBox } from '../reply-to-box.ts';
import { signForBox } from '../sign-for-box.ts';
import { type BoxState, viewOf } from './box-state.ts';
import { type BoxStateRow, BoxStates, desiredOf, reportedOf } from './box-states.ts';
import { Cameras } from './cameras.ts';
import { nextState } from './next-state.ts';
import { readWanted } from './read-wanted.ts';

const LOOK_EVERY_MS = 1000;
/** Boxes that are looked at in one go. */
const MOST_DUE = 256;
/** A box that says nothing for minutes is away: it says what it has when it is back. */
const MOST_TRIES = 9;

export interface DesiredStatesOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly boxes: KnownBoxes;
  /** Without one, changes are written down here, and sent by another process. */
  readonly courier?: Courier | undefined;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * What boxes should have, from the change to the box's word that it has it. Whatever changes only says that it is time to look at a box:
 * what it should have is read anew then, and sent until the box says that it has taken it.
 */
export class DesiredStates {
  readonly cameras: Cameras;
  readonly #options: DesiredStatesOptions;
  readonly #states: BoxStates;
  readonly #ids: Ulids;
  readonly #underWay = new UnderWay();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DesiredStatesOptions) {
    const { now } = options;
    this.#options = options;
    this.#states = new BoxStates(options);
    this.#ids = new Ulids(now);
    this.cameras = new Cameras({ ...options, onChange: (device) => this.wake(device) });
  }

  start(): void {
    this.#timer = setInterval(() => this.#underWay.begin(() => this.look()), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay.end();
  }

  /** What it wants to hear of boxes. */
  readonly takers: Takers = {
    reported: async (device, { org }, payload) => {
      const report = reportSchema.parse(JSON.parse(payload.toString()));
      await this.#states.report(org, device, report);
      this.#followLater(device);
      await replyToBox(this.#options, device, { kind: 'report-kept', report: report.report });
    },
  };

  /** A box should perhaps have something else. */
  async wake(device: string): Promise<void> {
    await this.#states.wake(device);
    this.#followLater(device);
  }

  /** All boxes of an org should perhaps have something else, which they are told then. */
  async wakeAll(org: string, at = this.#options.now()): Promise<void> {
    await this.#states.wakeAll(org, at);
  }

  /** What a box of an org should be, and says that it is. */
  async get(org: string, device: string): Promise<BoxState> {
    return viewOf(device, await this.#states.get(org, device));
  }

  /** Sends what is due. */
  async look(): Promise<void> {
    if (this.#options.courier === undefined) return;
    try {
      for (const device of await this.#states.due(MOST_DUE)) await this.#follow(device);
    } catch (error) {
      this.#options.logger.error({ err: SecureGateError.from(error) }, 'the states of boxes could not be looked through');
    }
  }

  #followLater(device: string): void {
    if (this.#options.courier) this.#underWay.begin(() => this.#follow(device));
  }

  /** Sees what a box should have and sends it, where the box has not said that it has taken that. What fails is tried again. */
  async #follow(device: string): Promise<void> {
    const { boxes, logger } = this.#options;
    try {
      const claimed = await this.#states.claim(device);
      if (claimed === undefined) return;
      const box = await boxes.find(device);
      if (box === undefined) return await this.#states.rest(claimed);
      const row = await this.#renew(claimed, box.org);
      if (row === undefined) return;
      const isThere = reportedOf(row).version?.id === row.id;
      if (isThere || row.tries > MOST_TRIES) return await this.#states.rest(row);
      if (!(await this.#send(row))) await this.#states.rest(row, 'desired_too_large');
    } catch (error) {
      logger.warn({ err: error, device }, 'a box was not told what it should have; it is tried again');
    }
  }

  /** @returns undefined where another process is at it */
  async #renew(row: BoxStateRow, org: string): Promise<BoxStateRow | undefined> {
    const desired = JSON.stringify(nextState(desiredOf(row), await readWanted(this.#options, org, row.device)));
    return desired === row.desired && row.id !== '' ? row : await this.#states.change(row, this.#ids.next(), desired);
  }

  /** @returns whether it could be sent at all */
  async #send(row: BoxStateRow): Promise<boolean> {
    const { kms, courier, logger } = this.#options;
    const { device, org, id, incarnation, sequence } = row;
    const state = desiredOf(row);
    if (state === undefined) return true;
    const iat = Math.floor(row.changed_at / 1000);
    const claims: DesiredClaims = { aud: 'securegate-box', sub: device, jti: id, iat, pair: { incarnation, sequence }, org, state };
    const token = await signForBox(kms, DESIRED_TYPE, claims);
    if (token.length > MOST_DESIRED_CHARACTERS) {
      logger.error({ device, characters: token.length }, 'what a box should have is too much for one message');
      return false;
    }
    await courier?.send(device, 'desired', Buffer.from(token));
    return true;
  }
}
