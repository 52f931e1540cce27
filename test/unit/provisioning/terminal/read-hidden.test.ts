import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { readHidden } from '../../../../provisioning/terminal/read-hidden.ts';

test('of a pipe all is the secret, but for the end of its line', async () => {
  for (const [input, secret] of [
    ['ada:hunter2\n', 'ada:hunter2'],
    ['ada:hunter2\r\n', 'ada:hunter2'],
    [' ada : x ', ' ada : x '],
  ] as const) {
    const pipe = new PassThrough();
    pipe.end(input);
    expect(await readHidden(pipe, new PassThrough(), 'secret: ')).toBe(secret);
  }
});

test('a terminal is asked, and what is typed is not shown', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => terminal });
  const screen = new PassThrough();
  const read = readHidden(terminal, screen, 'secret: ');
  for (const key of 'ada:hunter3\b2\r') terminal.write(key);
  expect(await read).toBe('ada:hunter2');
  screen.end();
  expect(await text(screen)).toBe('secret: \n');
});

test('broken off by Ctrl-C, it ends', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => terminal });
  const read = readHidden(terminal, new PassThrough(), 'secret: ');
  terminal.write('ada\x03');
  await expect(read).rejects.toMatchObject({ code: 'stopped' });
});
