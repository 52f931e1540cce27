import { writeFile } from 'node:fs/promises';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import type { Statement } from '../../../shared/receipts/receipt.ts';
import { securegate } from '../../cloud/securegate.ts';
import { ORG, type Stack } from './stack.ts';

/** Has the receipts of a shred and an erasure checked by nothing but public keys. @returns how many boxes' signed words they hold */
export async function checkReceipts(stack: Stack, shred: string, erasure: string): Promise<number> {
  const client = await stack.client();
  const keys = stack.path('receipt-keys.json');
  await writeFile(keys, JSON.stringify(await contentOf(client.GET('/v1/receipt-keys'))));
  const ofErasure = client.GET('/v1/orgs/{org}/erasures/{id}/receipt', { params: { path: { org: ORG, id: erasure } } });
  const receipts = [await stack.command('cloud', 'shreds', 'receipt', ORG, shred), JSON.stringify(await contentOf(ofErasure))];
  let words = 0;
  for (const [index, receipt] of receipts.entries()) {
    const file = stack.path(`receipt-${index}.json`);
    await writeFile(file, receipt);
    const said = JSON.parse(await securegate(['receipt', 'verify', file, '--keys', keys, '--json'])) as Statement;
    words += said.boxes.filter(({ word }) => word !== null).length;
  }
  return words;
}
