import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteSearch } from '../../../provisioning/demo/scan/byte-search.ts';
import { type NotedSecret, secretSchema } from './note-secret.ts';
import { SAID, SECRETS } from './run-folder.ts';

/** Bytes of a key that tell it: half of the shortest one. */
const WINDOW = 16;
const STEP = 4;

/** What was found, how much was searched, and for how many secrets. */
export interface RunSearch {
  /** `SECRET in FILE`. */
  readonly found: readonly string[];
  readonly secrets: number;
  readonly bytes: number;
}

/** Looks in all that was said in a run for all that was noted as secret. */
export function searchRun(folder: string): RunSearch {
  const names = readdirSync(folder);
  const search = new ByteSearch();
  let secrets = 0;
  for (const name of names.filter((each) => SECRETS.test(each))) {
    for (const line of readFileSync(join(folder, name), 'utf8').trim().split('\n')) {
      addSecret(search, secretSchema.parse(JSON.parse(line)));
      secrets += 1;
    }
  }
  const found: string[] = [];
  let bytes = 0;
  for (const name of names.filter((each) => SAID.test(each))) {
    const said = readFileSync(join(folder, name));
    bytes += said.length;
    const labels = new Set<string>();
    search.find(said, labels);
    for (const label of labels) found.push(`${label} in ${join(folder, name)}`);
  }
  return { found, secrets, bytes };
}

function addSecret(search: ByteSearch, { name, form, base64 }: NotedSecret): void {
  const secret = Buffer.from(base64, 'base64');
  if (form === 'text') {
    search.add(name, secret);
    return;
  }
  for (let at = 0; at + WINDOW <= secret.length; at += STEP) {
    for (const written of formsOf(secret.subarray(at, at + WINDOW))) search.add(name, Buffer.from(written));
  }
}

/** Bytes as a log could hold them: raw, in hex, in base64 at each place of its groups of three, and as JSON of a buffer. */
function formsOf(part: Buffer): (string | Buffer)[] {
  const hex = part.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => {
    const whole = part.subarray(offset, offset + Math.floor((part.length - offset) / 3) * 3);
    return [whole.toString('base64'), whole.toString('base64url')];
  });
  return [...new Set([hex, hex.toUpperCase(), ...base64, part.join(','), part.join(', ')]), part];
}
