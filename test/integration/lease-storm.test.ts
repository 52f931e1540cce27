import { UnsecuredJWT } from 'jose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LeaseRequests } from '../../cloud/fleet/requests/lease-requests.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { LeaseRenewal } from '../../edge/box/lease-renewal.ts';
import { LinkLeaseCarrier } from '../../edge/link/requests/link-lease-carrier.ts';
import { Requests } from '../../edge/link/requests/requests.ts';
import { type Reply, replySchema } from '../../shared/fleet/reply.ts';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { WillingVault } from '../helpers/willing-vault.ts';

const BOXES = 300;
/** What a control plane that has next to nothing of its machine needs for a message: it has heard all boxes after a minute. */
const MESSAGE_MS = 200;
const KMS_MS = 50;
const HOUR_MS = 3_600_000;
const NONCE = 'n'.repeat(43);
const SEALED: LeaseAnswer = { encapsulated: Buffer.alloc(32), sealed: Buffer.alloc(32), oaepHash: 'sha256', lease: 'none' };

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Does one thing after the other, each of which takes its time, in the order in which they come. */
function lane(): (work: () => unknown) => Promise<void> {
  let last = Promise.resolve();
  return (work) => {
    last = last.then(async () => {
      await pause(MESSAGE_MS);
      work();
    });
    return last;
  };
}

test('boxes that all ask at once all get their leases, also from a control plane that is slower than they are patient', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const logger = testLogger('edge');
  const monotonic = (): number => performance.now();
  const random = (): number => 0.5;
  const inOrder = lane();
  const boxes = new Map<string, Requests>();
  const exports = { asked: 0, came: 0 };
  const call = async (operation: string): Promise<unknown> => {
    await pause(KMS_MS);
    if (operation === 'challenge') return { nonce: NONCE };
    exports.asked += 1;
    return SEALED;
  };
  const leaseRequests = new LeaseRequests({
    courier: {
      answer: (device, payload) =>
        inOrder(() => {
          const reply = replySchema.parse(JSON.parse(payload.toString()));
          (boxes.get(device)?.onReply[reply.kind] as ((reply: Reply) => void) | undefined)?.(reply);
        }),
    },
    kms: { call: call as KmsClient['call'] },
    recoveries: { get: () => expect.unreachable('no HSM is lost') },
    monotonic,
    logger,
  });
  const box = { org: 'acme', signingKeys: [] };
  const renewals = Array.from({ length: BOXES }, (_, at) => {
    const device = `box-${at}`;
    const ask = async (payload: Buffer): Promise<void> => void inOrder(() => leaseRequests.takers.requests?.(device, box, payload));
    const requests = new Requests({ uplink: { ask }, now: Date.now, monotonic });
    boxes.set(device, requests);
    const vault = new WillingVault(
      async (nonce) => new UnsecuredJWT({ sub: device, nonce }).encode(),
      () => {
        exports.came += 1;
      },
    );
    return new LeaseRenewal({ tenant: 'hall', vault, carrier: new LinkLeaseCarrier(requests), random, logger });
  });
  for (const renewal of renewals) renewal.start();
  const startedAt = monotonic();
  while (exports.came < BOXES && monotonic() - startedAt < HOUR_MS) await vi.advanceTimersByTimeAsync(1000);
  expect(exports.came).toBe(BOXES);
  // One that comes too late the KMS gave for nothing, and it gives a box few an hour.
  expect(exports.asked).toBeLessThan(BOXES * 1.1);
  for (const renewal of renewals) await renewal.stop();
}, 60_000);
