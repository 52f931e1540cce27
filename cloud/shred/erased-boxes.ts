import type { KnownOfBox } from '../../shared/receipts/state-of-box.ts';
import {
  destroyedAt,
  type KnownEpoch,
  keysBefore,
  type LostEpoch,
  type StateOfErasure,
  stateOfErasure,
} from '../../shared/receipts/state-of-erasure.ts';
import type { KmsClient } from '../kms/client.ts';
import type { BoxOfErasure } from './boxes-of-erasure.ts';

type Holder = Pick<KnownOfBox, 'enforcement' | 'leaseEndsAt'>;
/** Of a box that the KMS does not know any more. */
const UNKNOWN: Holder = { enforcement: 'software', leaseEndsAt: 0 };

export interface ErasedBox extends BoxOfErasure, Holder {
  /** Of a box without a word: the last epoch that it never said to have left, where the key of that is destroyed. */
  readonly lost: LostEpoch | null;
  readonly state: StateOfErasure;
}

/**
 * How far somebody is gone from each box, by its word and by what became of the tenant's keys.
 * @param requestedAt milliseconds since the Unix epoch, as `now`
 * @param epochs of the tenant, the first one first
 * @param now states are told as of the second that has begun: one that is reached within it comes with the next
 * @throws {SecureGateError} `kms_unavailable`
 */
export async function erasedBoxes(
  kms: Pick<KmsClient, 'call'>,
  { org, tenant, requestedAt }: { org: string; tenant: string; requestedAt: number },
  boxes: readonly BoxOfErasure[],
  epochs: readonly KnownEpoch[],
  now: number,
): Promise<ErasedBox[]> {
  const silent = boxes.filter(({ word }) => word === null).map(({ device }) => device);
  const lost = await lostEpochs(kms, { org, tenant }, silent, epochs);
  // Until when a box, or an older copy of it, had a key to open with, where all keys of that time are gone.
  const ends = boxes.map(({ device, word }) => {
    const last = lost.get(device)?.epoch;
    return destroyedAt(last === undefined ? keysBefore(epochs, word?.done.at ?? now) : epochs.filter(({ epoch }) => epoch <= last)) ?? now;
  });
  const holders = await holdersAt(kms, { org, tenant }, new Set(ends));
  return boxes.map((box, index) => {
    const { enforcement, leaseEndsAt } = holders.get(ends[index] ?? now)?.get(box.device) ?? UNKNOWN;
    const known = { enforcement, leaseEndsAt, erasedAt: box.word?.done.at ?? null, requestedAt, lost: lost.get(box.device) ?? null };
    return { ...box, enforcement, leaseEndsAt, lost: known.lost, state: stateOfErasure(known, epochs, Math.floor(now / 1000) * 1000) };
  });
}

async function lostEpochs(
  kms: Pick<KmsClient, 'call'>,
  tenant: { org: string; tenant: string },
  devices: readonly string[],
  epochs: readonly KnownEpoch[],
): Promise<ReadonlyMap<string, LostEpoch>> {
  const lost = new Map<string, LostEpoch>();
  if (devices.length === 0) return lost;
  for (const { epoch, destroyedAt: gone, leftFrom } of epochs) {
    if (gone === null) continue;
    // From the last key of a tenant that was shredded, no box moves anywhere.
    const left =
      leftFrom !== null ? await kms.call('listLostBoxes', { ...tenant, epoch }) : devices.map((device) => ({ device, laterKeyAt: null }));
    for (const { device, laterKeyAt } of left) if (devices.includes(device)) lost.set(device, { epoch, laterKeyAt });
  }
  return lost;
}

/** The boxes of a tenant by when they were given leases. */
async function holdersAt(
  kms: Pick<KmsClient, 'call'>,
  tenant: { org: string; tenant: string },
  times: ReadonlySet<number>,
): Promise<ReadonlyMap<number, ReadonlyMap<string, Holder>>> {
  const found = [...times].map(async (before) => {
    const holders = await kms.call('listHolders', { ...tenant, before });
    return [before, new Map(holders.map((holder) => [holder.device, holder]))] as const;
  });
  return new Map(await Promise.all(found));
}
