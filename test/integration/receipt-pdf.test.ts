import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { receiptPage } from '../../provisioning/receipts/receipt-page.ts';
import { writePdf } from '../../provisioning/receipts/write-pdf.ts';
import type { Statement } from '../../shared/receipts/receipt.ts';
import type { VerifiedReceipt } from '../../shared/receipts/verify-receipt.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { ShredPlace } from '../helpers/shred-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const PATIENTLY = { timeout: 20_000, interval: 20 };
const run = promisify(execFile);
const AT = '2026-11-22T10:00:00.000Z';

test('whoever asked for a shred gets one page of what a receipt proves, without names and ids; of one that does not hold there is none', async () => {
  const org = await testOrg('software');
  const place = await ShredPlace.make(org, { file: join(await tempFolder(), 'cloud.db') });
  await place.tenant('club');
  const { box } = await place.box('club');
  const absent = await place.box('club');
  const id = await place.approved('club');
  await place.look();
  await place.ledger.transport.connect(box.id);
  const told = async () => (await place.shreds.get('acme', id)).boxes.map(({ state }) => state).toSorted();
  await expect.poll(told, PATIENTLY).toEqual(['erased', 'pending']);

  const folder = await tempFolder();
  const [file, keys, pdf] = ['receipt.json', 'keys.json', 'receipt.pdf'].map((name) => join(folder, name)) as [string, string, string];
  const receipt = await place.receipts.ofShred('acme', id);
  await writeFile(file, JSON.stringify(receipt));
  await writeFile(keys, JSON.stringify({ keys: [await org.kms.client.call('signingKey', { use: 'audit' })] }));
  const verify = () => run(process.execPath, [MAIN, 'receipt', 'verify', file, '--keys', keys, '--pdf', pdf]);
  await verify();

  const { stdout: text } = await run('pdftotext', ['-layout', pdf, '-']);
  expect(text).toMatch(/Receipt of the deletion of a venue[\s\S]*club \(acme\)/);
  expect(text).toMatch(new RegExp(`Receipt +${id}`));
  expect(text).toContain('Deleted from it. A full older copy');
  expect(text).toContain('Not deleted yet');
  expect(text).toMatch(/In the log +the destruction of keys as entry \d+, this receipt as entry \d+, of \d+\n/);
  expect(text).toContain(
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  );
  for (const unneeded of [box.id, absent.box.id, 'usr_', '@']) expect(text).not.toContain(unneeded);
  expect(await pagesOf(pdf)).toBe(1);
  // It can be seen, and nothing of it lies beyond the margins.
  await run('pdftoppm', ['-r', '50', '-png', '-singlefile', pdf, join(folder, 'page')]);
  const { info } = await sharp(join(folder, 'page.png')).trim().toBuffer({ resolveWithObject: true });
  const { width, height } = await sharp(join(folder, 'page.png')).metadata();
  expect(info.width).toBeGreaterThan(width / 2);
  expect(info.width).toBeLessThan(width * 0.85);
  expect(info.height).toBeGreaterThan(height / 3);

  await writeFile(file, JSON.stringify({ ...receipt, head: receipt.statement }));
  await run('rm', [pdf]);
  await expect(verify()).rejects.toMatchObject({ stderr: expect.stringContaining('[receipt_rejected]') });
  expect(existsSync(pdf)).toBe(false);
}, 60_000);

test('it stays one page, however many boxes there were', async () => {
  const file = join(await tempFolder(), 'receipt.pdf');
  const states = ['erased', 'pending', 'unrecoverable'] as const;
  const statement = (count: number): Statement => ({
    ...({ aud: 'securegate-receipt', kind: 'erasure', jti: '01KAMV8Z0000000000000000CC', iat: Date.parse(AT) / 1000 } as const),
    ...{ org: 'a'.repeat(63), tenant: 'b'.repeat(63), requestedBy: `usr_${'a'.repeat(26)}`, requestedAt: AT, customers: [], epochs: [] },
    boxes: Array.from({ length: count }, (_, index) => ({
      ...{ device: `box_${'a'.repeat(26)}`, enforcement: 'memory', leaseEndsAt: AT, unrecoverableFrom: AT },
      state: states[index % 3] ?? 'erased',
      word: { digest: 'd', key: 'k', command: 'c', at: AT, removed: null },
    })),
  });
  const place = { salt: 's', loggedAt: 1, proof: [] };
  const verified = (said: Statement): VerifiedReceipt => {
    const destructions = Array.from({ length: 40 }, (_, leaf) => ({ epoch: leaf, at: 1, call: 'c', evidence: 'e', leaf, ...place }));
    return { said, head: { log: '01KAMV8Z0000000000000000CC', size: 60, root: 'r', at: 1 }, proved: { issued: 59, destructions } };
  };
  for (const count of [0, 10, 11, 3000]) {
    await writePdf(file, receiptPage(verified(statement(count)), 'a3'.repeat(32)), new Date(AT));
    expect(await pagesOf(file), `${count} boxes`).toBe(1);
  }
  const { stdout } = await run('pdftotext', ['-layout', file, '-']);
  expect(stdout).toMatch(/In the log +the destruction of keys as entries …, 37, 38, 39, this receipt as entry 59, of 60\n/);
  expect(stdout).toMatch(/1000 of 3000 boxes +Deleted, and nobody can bring it back from any copy\./);
}, 60_000);

async function pagesOf(file: string): Promise<number> {
  return Number(/Pages: +(\d+)/.exec((await run('pdfinfo', [file])).stdout)?.[1]);
}
