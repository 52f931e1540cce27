import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { KEY_CHANGE_TYPE, type KeyChange, PINNED_USES, type PinnedUse } from '../../../shared/lease/key-change.ts';
import { type PublicKey, publicKeySchema } from '../../../shared/lease/public-key.ts';
import { SerialByKey } from '../../../shared/runtime/serial-by-key.ts';
import type { Hsm, SigningUse } from '../hsm/hsm.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { KmsStore } from '../store/open-kms-store.ts';

/** In an hour: each stays in the HSM for ever. */
const MOST_CHANGES = 4;

export interface SigningKeysOptions {
  readonly hsm: Hsm;
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly now: () => number;
}

/**
 * The keys by which the KMS signs. One that boxes have pinned is changed by a word that the key before it signs, and that nobody can have signed from outside; the
 * one before stays in the HSM, and signs nothing any more. (Authorities of boxes follow each other by certificates.)
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #byUse = new SerialByKey();

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  /** The key that counts. */
  async key(use: SigningUse): Promise<PublicKey> {
    return publicKeySchema.parse(await this.#options.hsm.signingKey(this.#present(use)));
  }

  /** Every key of a use that ever counted, the newest first, and the words on their changes, the first one first. Those of an HSM that was lost are not told. */
  async history(use: PinnedUse): Promise<{ keys: PublicKey[]; changes: string[] }> {
    const { hsm, store } = this.#options;
    const words = store.keyChanges.of(use);
    const keys: PublicKey[] = [];
    const changes: string[] = [];
    for (let generation = words.length + 1; generation > 0; generation -= 1) {
      const key = publicKeySchema.parse(await hsm.signingKey(nameOf(use, generation)));
      keys.push(key);
      const [word] = words.slice(generation - 2, generation - 1);
      if (generation === 1 || word === undefined || !isDeepStrictEqual(decodeJwt(word).key, key)) break;
      changes.unshift(word);
    }
    return { keys, changes };
  }

  /**
   * Signs for who asks from outside: each message, in their order.
   * @throws {SecureGateError} `key_change_rejected`; `conflict` where a message names another key than the one that counts
   */
  async sign(use: SigningUse, messages: readonly Buffer[]): Promise<Buffer[]> {
    const headers = messages.map(headerOf);
    if (headers.some(({ typ }) => typ === KEY_CHANGE_TYPE))
      throw new SecureGateError('key_change_rejected', 'The KMS alone says which key counts', { details: { use } });
    const named = headers.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
    if (named.length > 0) {
      const counts = await calculateJwkThumbprint(await this.key(use));
      if (named.some((kid) => kid !== counts)) {
        throw new SecureGateError('conflict', 'Another key counts for this use', { details: { use } });
      }
    }
    return await this.#options.hsm.sign(this.#present(use), messages);
  }

  /**
   * Makes the next key of a use. A crash on the way leaves the one before; the key that was made then is taken the next time.
   * @returns the key that counts from here on
   * @throws {SecureGateError} `rate_limited`, and the HSM's
   */
  async change(use: PinnedUse): Promise<PublicKey> {
    const { hsm, store, guard, now } = this.#options;
    return await this.#byUse.run(use, async () => {
      store.rates.take(`keys/${use}`, MOST_CHANGES, now());
      const generation = store.keyChanges.of(use).length + 2;
      const before = nameOf(use, generation - 1);
      const key = publicKeySchema.parse(await hsm.signingKey(nameOf(use, generation)));
      const kid = await calculateJwkThumbprint(publicKeySchema.parse(await hsm.signingKey(before)));
      const claims: KeyChange = { use, key, iat: Math.floor(now() / 1000) };
      const message = `${encode({ alg: 'ES256', typ: KEY_CHANGE_TYPE, kid })}.${encode(claims)}`;
      const signature = Buffer.concat(await hsm.sign(before, [Buffer.from(message)]));
      const token = `${message}.${signature.toString('base64url')}`;
      await guard.change(() => store.keyChanges.add(use, generation, token));
      return key;
    });
  }

  #present(use: SigningUse): SigningUse {
    return isPinned(use) ? nameOf(use, this.#options.store.keyChanges.of(use).length + 1) : use;
  }
}

function isPinned(use: string): use is PinnedUse {
  return PINNED_USES.some((one) => one === use);
}

function nameOf(use: PinnedUse, generation: number): SigningUse {
  return generation === 1 ? use : `${use}-${generation}`;
}

/** Of what is to be a JWS; an authority's certificates are none. */
function headerOf(message: Buffer): { readonly typ?: unknown; readonly kid?: unknown } {
  try {
    return decodeProtectedHeader(`${message.toString('latin1')}.`);
  } catch {
    return {};
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
