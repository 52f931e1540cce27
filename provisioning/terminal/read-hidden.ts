import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/**
 * Takes a secret from the input. A terminal is asked for it, and does not show it; of a pipe, all is the secret, but for the line's end.
 * @throws {SecureGateError} `stopped` where it is broken off
 */
export async function readHidden(input: Readable & { readonly isTTY?: boolean }, output: Writable, question: string): Promise<string> {
  if (!input.isTTY) return (await text(input)).replace(/\r?\n$/, '');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true });
  output.write(question);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    reader.once('line', resolve);
    reader.once('close', () => reject(new SecureGateError('stopped', 'Nothing was typed')));
    return await promise;
  } finally {
    output.write('\n');
    reader.close();
  }
}
