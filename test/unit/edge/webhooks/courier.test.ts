import { createHmac } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../edge/runtime/clock.ts';
import { Courier, type CourierOptions, type Message } from '../../../../edge/webhooks/courier.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { BackOff } from '../../../../shared/runtime/back-off.ts';
import { testSighting } from '../../../helpers/test-sighting.ts';
import { webhookReceiver } from '../../../helpers/webhook-receiver.ts';

const secret = Buffer.from('whsec_test');
interface GivenUp {
  readonly message: Message;
  readonly attempts: number;
  readonly reason: string;
}

function courierTo(url: string, overrides: Partial<CourierOptions> = {}) {
  const givenUp: GivenUp[] = [];
  const waiting = new Set<() => void>();
  const courier = new Courier({
    url,
    secret,
    allowPrivate: true,
    backOff: new BackOff(1, 4),
    clock: { ...systemClock, now: () => 1_700_000_000_123 },
    logger: createLogger('test', { level: 'silent' }),
    onGivenUp: (message, attempts, reason) => {
      givenUp.push({ message, attempts, reason });
      for (const look of waiting) look();
    },
    ...overrides,
  });
  courier.start();
  onTestFinished(() => courier.stop());
  const buried = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (givenUp.length >= count) resolve();
      };
      waiting.add(look);
      look();
    });
  return { courier, givenUp, buried };
}

let counter = 0;
function message(): Message {
  counter += 1;
  return { id: `dlv_${counter}`, sighting: testSighting() };
}

test('a message arrives with its id, signed over time and body', async () => {
  const receiver = await webhookReceiver((response) => response.end());
  const { courier } = courierTo(receiver.url);
  const sent = message();
  courier.offer(sent);
  await receiver.calls(1);
  const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = receiver.received;
  expect(JSON.parse(body.toString())).toEqual({ id: sent.id, event: 'sighting', sighting: sent.sighting });
  expect(headers['securegate-delivery']).toBe(sent.id);
  const expected = createHmac('sha256', secret).update('1700000000.').update(body).digest('hex');
  expect(headers['securegate-signature']).toBe(`t=1700000000,v1=${expected}`);
});

test('it is tried again under the same id until the receiver takes it', async () => {
  const receiver = await webhookReceiver((response, call) => response.writeHead(call < 3 ? 503 : 204).end());
  const { courier, givenUp } = courierTo(receiver.url);
  const [first, second] = [message(), message()];
  courier.offer(first);
  courier.offer(second);
  await receiver.calls(4);
  expect(receiver.received.map(({ headers }) => headers['securegate-delivery'])).toEqual([first.id, first.id, first.id, second.id]);
  expect(givenUp).toEqual([]);
});

test('after eight attempts it is given up with what the last one met with', async () => {
  const receiver = await webhookReceiver((response) => response.writeHead(500).end());
  const { courier, givenUp, buried } = courierTo(receiver.url);
  const sent = message();
  courier.offer(sent);
  await buried(1);
  expect(givenUp).toEqual([{ message: sent, attempts: 8, reason: '500' }]);
  expect(receiver.received).toHaveLength(8);
});

test('one that was tried before has as many attempts less, and comes when it is due', async () => {
  const receiver = await webhookReceiver((response) => response.writeHead(500).end());
  let waited = 0;
  const now = (): number => 1_700_000_000_000 + waited;
  const { courier, givenUp, buried } = courierTo(receiver.url, { clock: { ...systemClock, now } });
  const started = performance.now();
  const sent = { ...message(), tried: { attempts: 6, nextAt: now() + 300 } };
  courier.offer(sent);
  await receiver.calls(1);
  waited = performance.now() - started;
  expect(waited).toBeGreaterThan(250);
  await buried(1);
  expect(givenUp).toEqual([{ message: sent, attempts: 8, reason: '500' }]);
  expect(receiver.received).toHaveLength(2);
});

test('a redirect is not followed', async () => {
  const secretPlace = await webhookReceiver((response) => response.end());
  const receiver = await webhookReceiver((response) => response.writeHead(307, { location: secretPlace.url }).end());
  const { courier, givenUp, buried } = courierTo(receiver.url);
  courier.offer(message());
  await buried(1);
  expect(givenUp[0]?.reason).toBe('307');
  expect(secretPlace.received).toEqual([]);
});

test('a receiver that never answers is left after a while, and whoever hands messages over never waits', async () => {
  const receiver = await webhookReceiver(() => undefined);
  const { courier, givenUp, buried } = courierTo(receiver.url, { longestMs: 20 });
  for (let count = 0; count < 1010; count += 1) courier.offer(message());
  // One is under way and a thousand wait.
  expect(givenUp.map(({ attempts, reason }) => [attempts, reason])).toEqual(Array.from({ length: 9 }, () => [0, 'overloaded']));
  await buried(10);
  expect(givenUp[9]).toMatchObject({ attempts: 8, reason: 'timeout' });
});

test('an answer that never ends is not read', async () => {
  const receiver = await webhookReceiver((response) => {
    response.writeHead(200);
    response.write('x');
  });
  const { courier } = courierTo(receiver.url);
  courier.offer(message());
  courier.offer(message());
  await receiver.calls(2);
});

test('a stop gives up what is under way and what waits', async () => {
  const receiver = await webhookReceiver(() => undefined);
  const { courier, givenUp } = courierTo(receiver.url);
  courier.offer(message());
  courier.offer(message());
  await receiver.calls(1);
  await courier.stop();
  expect(givenUp).toHaveLength(2);
});

test.each([
  ['all of its addresses', ['127.0.0.1']],
  ['one of its addresses', ['8.8.8.8', '127.0.0.1']],
  ['none of its addresses', []],
])('a name that leads into a private network with %s is not called', async (_name, addresses) => {
  const receiver = await webhookReceiver((response) => response.end());
  const { courier, givenUp, buried } = courierTo(`https://hooks.example.com:${receiver.port}/`, {
    allowPrivate: false,
    resolve: async () => addresses.map((address) => ({ address, family: 4 })),
  });
  courier.offer(message());
  await buried(1);
  expect(givenUp[0]).toMatchObject({ attempts: 1, reason: 'webhook_target_refused' });
});
