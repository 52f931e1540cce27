import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/**
 * Takes a person's name and contact from the first two lines of the input; a terminal is asked for them. They are never
 * arguments of a command: these are in the process list, and stay in the shell's history and in npm's logs.
 * @param input standard input; it may end after the name
 * @throws {SecureGateError} `invalid_request` without a name
 */
export async function readPerson(
  input: Readable & { readonly isTTY?: boolean },
  output: Writable,
): Promise<{ name: string; contact?: string }> {
  const reader = createInterface({ input, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    if (input.isTTY) output.write(question);
    const { value, done } = await lines.next();
    return done ? '' : value.trim();
  };
  try {
    const name = await ask('Name: ');
    if (name === '') throw new SecureGateError('invalid_request', 'The name is expected as the first line of the input');
    const contact = await ask('Contact (may stay empty): ');
    return { name, ...(contact === '' ? {} : { contact }) };
  } finally {
    reader.close();
  }
}
