import { expect, test } from 'vitest';
import { sendRequest } from '../../edge/link/enrolment/send-request.ts';
import { UP_CHANNELS } from '../../shared/fleet/topics.ts';
import { MESSAGES_PATH } from '../../shared/fleet/waiting.ts';
import { type TestBox, TestFleet } from '../helpers/fleet.ts';

const BYTES = { 'content-type': 'application/octet-stream' };

interface Sent {
  readonly channel?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}

/** Asks as a box does, or, with a channel, says something on it. @returns status and code */
async function send({ url }: TestFleet, { folder }: TestBox, { channel, body = '{}', headers = BYTES }: Sent = {}, shows = true) {
  const { authorities, certificate } = folder.read();
  const credentials = shows ? { key: folder.key.open(), certificate } : undefined;
  const said = channel === undefined ? { method: 'GET' } : { method: 'POST', body, headers };
  const path = channel === undefined ? MESSAGES_PATH : `${MESSAGES_PATH}/${channel}`;
  const { status, text } = await sendRequest(new URL(path, url), { headers, ...said, authorities, credentials, mostCharacters: 1_000_000 });
  return { status, code: text.startsWith('{') ? (JSON.parse(text).code as string | undefined) : undefined };
}

test('who shows no certificate of a box, or one that was taken back, says and hears nothing over HTTPS', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const [denied, released, good] = [await fleet.enrolled(), await fleet.enrolled(), await fleet.enrolled()];
  for (const box of [denied, released, good]) {
    await expect.poll(() => send(fleet, box, { channel: 'usage' })).toMatchObject({ status: 204 });
    expect(await send(fleet, box)).toMatchObject({ status: 200 });
  }
  expect(await fleet.ask('POST', `/devices/${denied.id}/deny`)).toMatchObject({ status: 200 });
  expect(await fleet.ask('POST', `/devices/${released.id}/release`)).toMatchObject({ status: 200 });
  for (const channel of [undefined, 'usage']) {
    const sent = channel === undefined ? {} : { channel };
    expect(await send(fleet, denied, sent)).toEqual({ status: 403, code: 'device_denied' });
    expect(await send(fleet, released, sent)).toMatchObject({ code: 'certificate_rejected' });
    expect(await send(fleet, good, sent, false)).toEqual({ status: 401, code: 'unauthenticated' });
  }
});

test('a box speaks on its own channels alone, in messages of their form and size', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const box = await fleet.enrolled();
  const other = await fleet.enrolled();
  for (const channel of UP_CHANNELS) {
    await expect.poll(() => send(fleet, box, { channel })).toMatchObject({ status: 204 });
  }
  const foreign = [
    'commands',
    'replies',
    'desired',
    '',
    'nothing',
    'acks/x',
    'acks%2F..',
    '..%2F..',
    `..%2F..%2F${other.id}%2Fup%2Facks`,
    '%23',
    '%2B',
    '%00',
    '__proto__',
  ];
  for (const channel of foreign) {
    expect((await send(fleet, box, { channel })).status, channel).toBeGreaterThanOrEqual(400);
    expect((await send(fleet, box, { channel })).status, channel).toBeLessThan(500);
  }
  expect(await send(fleet, box, { channel: 'acks', body: Buffer.alloc(256 * 1024 + 1) })).toEqual({
    status: 413,
    code: 'payload_too_large',
  });
  expect(await send(fleet, box, { channel: 'acks', headers: { 'content-type': 'text/html' } })).toMatchObject({ status: 415 });
  expect(await send(fleet, box, { channel: 'acks', headers: { 'content-type': 'application/json' } })).toMatchObject({ status: 415 });

  // Tags that nobody gave out.
  for (const tag of ['*', '"', '""', `"${'x'.repeat(12)}.999999999999999"`, `"${'x'.repeat(12)}.-1"`, 'W/"a.1"', `"${'9'.repeat(5000)}"`]) {
    expect((await send(fleet, box, { headers: { 'if-none-match': tag } })).status, tag).toBe(200);
  }
});

test('without a broker nobody hears a box, and it is told so', async () => {
  const fleet = await TestFleet.start();
  expect(await send(fleet, await fleet.enrolled(), { channel: 'hello' })).toEqual({ status: 503, code: 'broker_unavailable' });
});

test('a box that asks too often waits, and the others do not', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded', perBox: 20 });
  const [box, other] = [await fleet.enrolled(), await fleet.enrolled()];
  const answers = await Promise.all(Array.from({ length: 30 }, () => send(fleet, box)));
  expect(answers.filter(({ code }) => code === 'rate_limited').length).toBeGreaterThanOrEqual(10);
  expect(await send(fleet, other)).toMatchObject({ status: 200 });
});
