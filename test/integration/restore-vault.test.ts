import { cp, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { VaultClient } from '../../edge/vault/client.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type TestBox, testBox, testClient } from '../helpers/vault.ts';

const consent = { noticeVersion: 'v1', purpose: 'entry', givenAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' };

async function enrol(vault: VaultClient, name: string): Promise<string> {
  return (await vault.enrolCustomer({ profile: { name }, consent, faces: [] })).customerId;
}

async function namesIn(vault: VaultClient): Promise<string[]> {
  return (await vault.listCustomers({ limit: 200 })).items.map(({ name }) => name);
}

/** Runs the vault for a while; its files are at rest before and after. */
async function withVault<Result>(box: TestBox, work: (vault: VaultClient) => Promise<Result>): Promise<Result> {
  const vault = testClient(box);
  await vault.start();
  try {
    return await work(vault);
  } finally {
    await vault.stop();
  }
}

/** As provisioning/runbooks/restore-a-vault.md says of one vault on a box that works. */
test('old data with the current keyring: who was erased since stays erased, everybody else is back', async () => {
  const box = await testBox();
  const folder = join(box.dataDir, 'tenants', 'hall');
  const backup = join(box.dataDir, '..', 'backup');
  const damaged = join(box.dataDir, '..', 'damaged');
  const anna = await withVault(box, async (vault) => {
    await enrol(vault, 'Berta');
    return enrol(vault, 'Anna');
  });
  await mkdir(backup);
  await cp(join(folder, 'vault.db'), join(backup, 'vault.db'));
  await withVault(box, async (vault) => {
    await vault.removeCustomer(anna);
    await enrol(vault, 'Clara');
  });
  await rename(folder, damaged);
  await mkdir(folder, { mode: 0o700 });
  await cp(join(backup, 'vault.db'), join(folder, 'vault.db'));
  await cp(join(damaged, 'keyring'), join(folder, 'keyring'), { recursive: true });
  await withVault(box, async (vault) => {
    expect(await namesIn(vault)).toEqual(['Berta']);
    await enrol(vault, 'Dora');
    expect((await namesIn(vault)).sort()).toEqual(['Berta', 'Dora']);
  });
});

test("another box's keyring is refused, so the box's own identity has to be restored first", async () => {
  const box = await testBox();
  await withVault(box, (vault) => enrol(vault, 'Anna'));
  const elsewhere = testClient({ ...box, box: newId('box') });
  await expect(elsewhere.start()).rejects.toMatchObject({ code: 'key_rejected' });
});
