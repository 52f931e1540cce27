import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notePrivateKey, noteSecret } from './note-secret.ts';

/** Tenants' keys and master keys, tokens, PINs and private keys, as the product names their files. */
const KEY_FILE = /\.(key|token|pin|pem|p8)$/;

/** Notes what the product's own processes left in files for keys below a folder. Links are not followed: one may lead back to where it is. */
export function noteKeyFiles(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) noteKeyFiles(path);
    else if (entry.isFile() && KEY_FILE.test(entry.name)) noteFile(entry.name, readFileSync(path));
  }
}

function noteFile(name: string, content: Buffer): void {
  if (name.endsWith('.pem') || name.endsWith('.p8') || content.includes('PRIVATE KEY')) {
    const key = privateKeyOf(name, content);
    if (key !== undefined) notePrivateKey(name, key);
  } else if (/\.(token|pin)$/.test(name)) noteSecret(name, content.toString().trim());
  else noteSecret(name, content);
}

/** Undefined for what is public, and for a file that a test broke. */
function privateKeyOf(name: string, content: Buffer) {
  try {
    return name.endsWith('.p8') ? createPrivateKey({ key: content, format: 'der', type: 'pkcs8' }) : createPrivateKey(content);
  } catch {
    return undefined;
  }
}
