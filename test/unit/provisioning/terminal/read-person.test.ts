import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { readPerson } from '../../../../provisioning/terminal/read-person.ts';

const read = (...chunks: string[]) => readPerson(Readable.from(chunks), new PassThrough());

test.each([
  [['Ada Example\n+49 1\n'], { name: 'Ada Example', contact: '+49 1' }],
  [['Ada ', 'Example\r\n'], { name: 'Ada Example' }],
  [['Ada Example'], { name: 'Ada Example' }],
  [['Ada Example\n\n'], { name: 'Ada Example' }],
])('reads %j', async (chunks, person) => {
  expect(await read(...chunks)).toEqual(person);
});

test('wants a name', async () => {
  await expect(read()).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(read('  \nada@example.org\n')).rejects.toMatchObject({ code: 'invalid_request' });
});

test('asks on a terminal, and nowhere else', async () => {
  for (const isTTY of [true, false]) {
    const output = new PassThrough();
    const input = Object.assign(Readable.from(['Ada Example\n\n']), { isTTY });
    await readPerson(input, output);
    output.end();
    expect((await text(output)).includes('Name: ')).toBe(isTTY);
  }
});
