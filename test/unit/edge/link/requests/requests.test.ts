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
  requests = new Requests({ uplink: { ask }, now: Date.now });
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
  await vi.advanceTimersByTimeAsync(30_000);
  await unanswered;
  requests.onReply.challenge?.({ kind: 'challenge', id: sent[1]?.id ?? '', nonce: NONCE });
  expect(vi.getTimerCount()).toBe(0);
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
