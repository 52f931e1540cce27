import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { ByteSearch } from './byte-search.ts';
import { EMBEDDING_FORMS, textForms } from './encodings.ts';
import { scanFolder } from './scan-folder.ts';
import { imageData, type Secrets } from './secrets-search.ts';

/** Values of an embedding in a canary: the least that must be found. */
const VALUES = { from: 101, count: 16 };

/**
 * Shows that the search would find what it looks for: plants a piece of a real secret in each form among random bytes,
 * looks for all of them, and removes them.
 * @throws {SecureGateError} `demo_failed` with the forms that stayed hidden
 */
export async function checkCanaries(folder: string, secrets: Secrets, search: ByteSearch): Promise<void> {
  const planted = join(folder, 'canaries');
  await mkdir(planted);
  try {
    const canaries = makeCanaries(secrets);
    const files = new Map<string, string>();
    for (const [index, { form, bytes }] of canaries.entries()) {
      const file = join(planted, `${index}.bin`);
      files.set(file, form);
      await writeFile(file, Buffer.concat([randomBytes(1001 + index), bytes, randomBytes(500)]));
    }
    const findings = await scanFolder(planted, search);
    const hidden = Array.from(files).filter(([file, form]) => findings.get(file)?.has(form) !== true);
    if (canaries.length === 0 || hidden.length > 0) {
      const forms = hidden.map(([, form]) => form);
      throw new SecureGateError('demo_failed', `The search for plaintext is blind: ${forms.join('; ')}`, { details: { forms } });
    }
  } finally {
    await rm(planted, { recursive: true, force: true });
  }
}

function makeCanaries({ embeddings, names, pictures, customerIds = [] }: Secrets): { form: string; bytes: Buffer }[] {
  const canaries: { form: string; bytes: Buffer }[] = [];
  const [embedding] = embeddings.slice(-1);
  const [name] = names.slice(-1);
  const [picture] = pictures.slice(-1);
  if (embedding === undefined || name === undefined || picture === undefined) return canaries;
  for (const [form, encode] of Object.entries(EMBEDDING_FORMS)) {
    const bytes = encode(embedding);
    const size = bytes.length / embedding.length;
    canaries.push({ form: `embedding, ${form}`, bytes: bytes.subarray(VALUES.from * size, (VALUES.from + VALUES.count) * size) });
    for (const { form: encoding, text, charactersPerByte } of textForms(bytes)) {
      const from = Math.floor(VALUES.from * size * charactersPerByte);
      const piece = text.slice(from, from + Math.floor(VALUES.count * size * charactersPerByte));
      canaries.push({ form: `embedding, ${form}, ${encoding}`, bytes: Buffer.from(piece, 'latin1') });
    }
  }
  canaries.push(...textCanaries('name', name), ...customerIds.slice(-1).flatMap((id) => textCanaries('customer id', id)));
  const data = imageData(picture);
  canaries.push({ form: 'picture', bytes: data.subarray(data.length / 2, data.length / 2 + 600) });
  return canaries;
}

/** A text as it is, and in the middle of what somebody says of a person. */
function textCanaries(what: string, text: string): { form: string; bytes: Buffer }[] {
  const said = Buffer.from(JSON.stringify({ sub: text }));
  return [
    { form: `${what}, UTF-8`, bytes: Buffer.from(text, 'utf8') },
    { form: `${what}, UTF-16`, bytes: Buffer.from(text, 'utf16le') },
    ...(['hex', 'base64', 'base64url'] as const).map((form) => ({ form: `${what}, ${form}`, bytes: Buffer.from(said.toString(form)) })),
  ];
}
