import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../../../shared/lease/export-request.ts';
import { EXPORT_SUITE } from '../../../../shared/lease/export-seal.ts';
import type { DeviceKeys } from '../device/device-keys.ts';
import { type OneUseKey, publicHalf } from './one-use-key.ts';
import type { OpenRequest } from './open-request.ts';
import type { StickRequestFile } from './stick-request-file.ts';
import type { TrustedTime } from './trusted-time.ts';

/** How long a request over the network waits: who holds its answer back could otherwise set the box's time back with it. */
const ONLINE_MS = 120_000;
/** How long a request waits that travels on a stick; the KMS answers it for as long. */
const STICK_MS = 7 * 86_400_000;

export interface LeaseRequestsOptions {
  readonly org: string;
  readonly tenant: string;
  readonly device: DeviceKeys;
  readonly time: TrustedTime;
  readonly random: (size: number) => Buffer;
  readonly stickFile: StickRequestFile;
}

/**
 * The requests of one tenant's vault that wait for an answer: the last one over the network, whose one-use key lives in this
 * process's memory alone, and those on the last stick, which outlive the process.
 */
export class LeaseRequests {
  readonly #options: LeaseRequestsOptions;
  #online: OpenRequest | undefined;

  constructor(options: LeaseRequestsOptions) {
    this.#options = options;
  }

  /** Answers the KMS's challenge. @returns the request, signed */
  async make(nonce: string, epoch: number): Promise<string> {
    // Not extractable: nothing gets it out of this process.
    const oneUse = await EXPORT_SUITE.GenerateKeyPair(false);
    this.#online = { epoch, nonce, oneUse, madeAt: this.#options.time.now(), onStick: false };
    return await this.#sign(nonce, epoch, oneUse);
  }

  /** They take the place of earlier ones on a stick, which are answered in vain then. @throws {SecureGateError} `storage_failed` */
  async makeForStick(epochs: readonly number[]): Promise<string[]> {
    const { random, time, stickFile } = this.#options;
    const made: OpenRequest[] = [];
    for (const epoch of epochs) {
      const oneUse = await EXPORT_SUITE.GenerateKeyPair(true);
      made.push({ epoch, nonce: random(32).toString('base64url'), oneUse, madeAt: time.now(), onStick: true });
    }
    await stickFile.save(made);
    return await Promise.all(made.map(({ nonce, epoch, oneUse }) => this.#sign(nonce, epoch, oneUse)));
  }

  /** The request that a nonce belongs to, if it still waits. */
  async find(nonce: string): Promise<OpenRequest | undefined> {
    const request = this.#online?.nonce === nonce ? this.#online : await this.#options.stickFile.find(nonce);
    if (!request) return undefined;
    const age = this.#options.time.now() - request.madeAt;
    return age <= (request.onStick ? STICK_MS : ONLINE_MS) ? request : undefined;
  }

  /** It has been answered: another answer to it opens nothing any more. */
  close(request: OpenRequest): void {
    if (request.onStick) this.#options.stickFile.remove(request.nonce);
    else this.#online = undefined;
  }

  async #sign(nonce: string, epoch: number, oneUse: OneUseKey): Promise<string> {
    const { org, tenant, device } = this.#options;
    const hpke = await publicHalf(oneUse);
    return await device.sign(EXPORT_REQUEST_TYPE, { aud: KMS_AUDIENCE, sub: device.id, org, tenant, epoch, nonce, hpke });
  }
}
