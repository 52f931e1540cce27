import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** Takes a secret from the input. A terminal is asked for it, and does not show it; of a pipe, all is the secret, but for the line's end. */
export async function readHidden(input: Readable & { readonly isTTY?: boolean }, output: Writable, question: string): Promise<string> {
  if (!input.isTTY) return (await text(input)).replace(/\r?\n$/, '');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true });
  output.write(question);
  try {
    const [line] = (await once(reader, 'line')) as [string];
    output.write('\n');
    return line;
  } finally {
    reader.close();
  }
}
