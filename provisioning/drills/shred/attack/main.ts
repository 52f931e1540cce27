import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttackOptions, attack } from './attack.ts';

/** A program of its own: given copies of folders and what reaches the living HSM, it prints what it could read. */
const { folders, ...others } = JSON.parse(process.argv[2] ?? '') as AttackOptions;
const restored = await mkdtemp(join(tmpdir(), 'securegate-attack-'));
try {
  await Promise.all(folders.map((folder, index) => cp(folder, join(restored, String(index)), { recursive: true })));
  const loot = await attack({ folders: [restored], ...others });
  process.stdout.write(`${JSON.stringify(loot)}\n`);
} finally {
  await rm(restored, { recursive: true, force: true });
}
