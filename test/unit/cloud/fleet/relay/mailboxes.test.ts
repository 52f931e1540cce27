import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Mailboxes } from '../../../../../cloud/fleet/relay/mailboxes.ts';

const [BOX, OTHER] = ['box_a', 'box_b'];

function newMailboxes() {
  const time = { now: 0 };
  const mailboxes = new Mailboxes({ monotonic: () => time.now, random: randomBytes });
  const put = (text: string, device = BOX): void => mailboxes.put(device, 'commands', Buffer.from(text));
  /** What a box is told that has everything up to the tag. */
  const read = (tag = '', device = BOX) => {
    const found = mailboxes.read(device, tag);
    return found && { tag: found.tag, texts: found.content.messages.map(({ payload }) => Buffer.from(payload, 'base64').toString()) };
  };
  return { time, put, read };
}

test('a message waits for the box that it is for until the box shows that it has it', () => {
  const { put, read } = newMailboxes();
  put('before the box asked');
  const first = read();
  expect(first?.texts).toEqual([]);
  expect(read(first?.tag)).toBeUndefined();
  read('', OTHER);
  put('one');
  put('for the other', OTHER);
  const second = read(first?.tag);
  expect(second?.texts).toEqual(['one']);
  put('two');
  // The answer was lost on the way.
  expect(read(first?.tag)?.texts).toEqual(['one', 'two']);
  const third = read(second?.tag);
  expect(third?.texts).toEqual(['two']);
  expect(read(third?.tag)).toBeUndefined();
});

test('a tag of another mailbox counts for nothing: all that waits is told, under a tag that names this one', () => {
  const [one, another] = [newMailboxes(), newMailboxes()];
  const foreign = one.read()?.tag ?? '';
  for (let n = 0; n < 5; n++) one.put(`${n}`);
  const own = another.read()?.tag ?? '';
  another.put('waits');
  expect(another.read(foreign)?.texts).toEqual(['waits']);
  expect(another.read(foreign.replace(/\.\d+/, '.99'))?.tag.startsWith(own.slice(0, 12))).toBe(true);
});

test('it keeps so many messages and bytes of a box, the newest, and nothing of a box that asks no more', () => {
  const { time, put, read } = newMailboxes();
  const { tag = '' } = read() ?? {};
  for (let n = 0; n < 1000; n++) put(`${n}`);
  expect(read(tag)?.texts).toEqual(Array.from({ length: 64 }, (_, index) => `${936 + index}`));
  for (let n = 0; n < 10; n++) put('x'.repeat(100 * 1024));
  expect(read(tag)?.texts.map(({ length }) => length)).toEqual(Array.from({ length: 5 }, () => 100 * 1024));

  time.now = 299_999;
  read('', OTHER);
  expect(read(tag)?.texts).toHaveLength(5);
  time.now = 299_999 + 300_000;
  read('', OTHER);
  put('to nobody');
  expect(read(tag)?.texts).toEqual([]);
});
