import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Requests } from '../../../../../edge/link/requests/requests.ts';
import { SecureGateError } from '../../../../../shared/errors/securegate-error.ts';
import { newUlid } from '../../../../../shared/ids/ulid.ts';

const NONCE = 'n'.repeat(43);

let sent: { id: string; kind: string }[];
let offline: SecureGateError | undefined;
let requests: Requests;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  offline = undefined;
  const ask = async (payload: Buffer): Promise<void> => {
    if (offline) throw offline;
    sent.push(JSON.parse(payload.toString()));
  };
  requests = new Requests({ uplink: { ask }, now: Date.now, monotonic: () => performance.now() });
});
afterEach(() => vi.useRealTimers());

const askChallenge = () => requests.ask({ kind: 'lease-challenge' }, 'challenge');

test('each request gets the reply of its id', async () => {
  const [one, other] = [askChallenge(), askChallenge()];
  const [first, second] = sent.map(({ id }) => id);
  requests.onReply.challenge?.({ kind: 'challenge', id: second ?? '', nonce: 'b'.repeat(43) });
  requests.onReply.challenge?.({ kind: 'challenge', id: first ?? '', nonce: 'a'.repeat(43) });
  expect((await one).nonce).toBe('a'.repeat(43));
  expect((await other).nonce).toBe('b'.repeat(43));
});

test('a refusal comes with its code and its details', async () => {
  const asked = askChallenge();
  const error = { code: 'cell_gone', message: 'gone', details: { newest: 7 } };
  requests.onReply.refused?.({ kind: 'refused', id: sent[0]?.id ?? '', error });
  await expect(asked).rejects.toMatchObject({ code: 'cell_gone', details: { newest: 7 } });
});

test('replies of another kind, to nobody, twice or too late change nothing', async () => {
  const asked = askChallenge();
  const id = sent[0]?.id ?? '';
  requests.onReply['move-noted']?.({ kind: 'move-noted', id });
  requests.onReply.challenge?.({ kind: 'challenge', id: newUlid(1), nonce: 'x'.repeat(43) });
  requests.onReply.challenge?.({ kind: 'challenge', id, nonce: NONCE });
  requests.onReply.challenge?.({ kind: 'challenge', id, nonce: 'y'.repeat(43) });
  expect((await asked).nonce).toBe(NONCE);

  const unanswered = expect(askChallenge()).rejects.toMatchObject({ code: 'cloud_unavailable' });
  await vi.advanceTimersByTimeAsync(60_000);
  await unanswered;
  requests.onReply.challenge?.({ kind: 'challenge', id: sent[1]?.id ?? '', nonce: NONCE });
  expect(vi.getTimerCount()).toBe(0);
});

test('where answers come late they are waited for longer, and no longer than that when they come soon again', async () => {
  const answer = (at: number): void => requests.onReply.challenge?.({ kind: 'challenge', id: sent[at]?.id ?? '', nonce: NONCE });
  const endsAfter = async (milliseconds: number): Promise<void> => {
    const at = sent.length;
    const failed = askChallenge().catch(({ code }: SecureGateError) => code);
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failed).toBe('cloud_unavailable');
    answer(at);
  };
  for (const seconds of [60, 120, 240, 300, 300]) await endsAfter(seconds * 1000);

  const slow = askChallenge();
  await vi.advanceTimersByTimeAsync(70_000);
  answer(5);
  await slow;
  await endsAfter(140_000);
  const soon = askChallenge();
  answer(7);
  await soon;
  await endsAfter(60_000);
});

test('requests that are late together count once', async () => {
  const late = Promise.allSettled([askChallenge(), askChallenge(), askChallenge()]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await late).every(({ status }) => status === 'rejected')).toBe(true);
  const next = Promise.allSettled([askChallenge()]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(vi.getTimerCount()).toBe(0);
  await next;
});

test('what was asked before the connection was lost is not waited for, nor what is asked while there is none', async () => {
  const lost = askChallenge();
  requests.onConnect();
  await expect(lost).rejects.toMatchObject({ code: 'cloud_unavailable' });
  const ended = askChallenge();
  await requests.stop();
  await expect(ended).rejects.toMatchObject({ code: 'cloud_unavailable' });
  offline = new SecureGateError('broker_unavailable', 'offline');
  await expect(askChallenge()).rejects.toMatchObject({ code: 'broker_unavailable' });
});
