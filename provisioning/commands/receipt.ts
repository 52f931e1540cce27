import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { contentOf, createCloudClient } from '../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { deletionReceiptSchema } from '../../shared/receipts/receipt.ts';
import { type VerifiedReceipt, verifyReceipt } from '../../shared/receipts/verify-receipt.ts';
import { formatTable } from '../cloud/format-table.ts';
import { receiptPage } from '../receipts/receipt-page.ts';

interface Options {
  readonly keys: string;
  readonly box?: string[];
  readonly pdf?: string;
  readonly json?: true;
}

const keysSchema = z.object({ keys: z.array(publicKeySchema).min(1) });
const boxKey = z.templateLiteral(['box_', z.string(), '=', z.string()]);

/** `securegate receipt`: what the control plane gave to who asked for a shred or an erasure. */
export function receiptCommand(): Command {
  const command = new Command('receipt').description('receipts of shreds and erasures');
  command.addCommand(
    new Command('keys')
      .description('print the public keys of a control plane, by which its receipts are checked; everybody may ask for them')
      .requiredOption('--cloud <url>', 'address of the control plane')
      .option('--json', 'print an error as JSON')
      .addHelpText(
        'after',
        '\nCompare them with what somebody whom you trust was told: whoever answers at the address could tell keys of his own.',
      )
      .action(async ({ cloud }: { readonly cloud: string }) => {
        const client = createCloudClient(cloud.replace(/\/$/, ''));
        process.stdout.write(`${JSON.stringify(await contentOf(client.GET('/v1/receipt-keys')))}\n`);
      }),
  );
  command.addCommand(
    new Command('verify')
      .description('check a receipt, without any network')
      .argument('<file>', 'the receipt (JSON)')
      .requiredOption(
        '--keys <file>',
        'public keys of the control plane (JSON), as `securegate receipt keys` gave them to somebody whom you trust',
      )
      .option('--box <id=hash...>', 'SHA-256 of the key of a box, where you have its certificate (base64url)')
      .option('--pdf <file>', 'write what it says as one page for the person who asked, where it holds')
      .option('--json', 'print what it says as JSON')
      .addHelpText(
        'after',
        '\nIt proves itself: by signatures of the control plane and of each box that has done its part, and by proofs that their words, and that of\nthe KMS for keys that are destroyed, are in the log.',
      )
      .action(verify),
  );
  return command;
}

async function verify(file: string, { keys: keysFile, box = [], pdf, json }: Options): Promise<void> {
  const [receipt, keys] = await Promise.all([read(file, deletionReceiptSchema), read(keysFile, keysSchema)]);
  const verified = await verifyReceipt(receipt.content, keys.content.keys, new Map(box.map(pinned)));
  const { said, head, proved } = verified;
  if (pdf !== undefined) {
    const { writePdf } = await import('../receipts/write-pdf.ts');
    await writePdf(pdf, receiptPage(verified, createHash('sha256').update(receipt.text).digest('hex')), new Date());
  }
  process.stdout.write(`${json ? JSON.stringify({ ...said, log: head, proved }) : format(verified)}\n`);
}

function pinned(text: string): [string, string] {
  const parsed = boxKey.safeParse(text);
  if (!parsed.success) throw new SecureGateError('usage', 'A key of a box is given as box_…=HASH');
  const [id = '', ...hash] = text.split('=');
  return [id, hash.join('=')];
}

async function read<Schema extends z.ZodType>(file: string, schema: Schema): Promise<{ text: string; content: z.output<Schema> }> {
  try {
    const text = await readFile(file, 'utf8');
    return { text, content: schema.parse(JSON.parse(text)) };
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} holds nothing of this kind`, { cause, details: { file } });
  }
}

function format({ said, head, proved }: VerifiedReceipt): string {
  const { kind, org, tenant, jti, iat, requestedAt } = said;
  const what =
    kind === 'shred' ? `Shred ${jti} of ${org}/${tenant}` : `Erasure ${jti} of ${said.customers.length} customer(s) of ${org}/${tenant}`;
  const keys = kind === 'shred' && said.destroyedAt !== null ? [`Keys destroyed:   ${said.destroyedAt}`] : [];
  const words = proved?.destructions.map(({ epoch, leaf }) => `entry ${leaf}${epoch === null ? '' : ` (epoch ${epoch})`}`).join(', ');
  const by =
    proved === null ? 'the word of the control plane alone: a receipt that is made now proves it' : words || 'no key is destroyed yet';
  const boxes = said.boxes.map((box) => {
    const from = 'unrecoverableFrom' in box ? box.unrecoverableFrom : null;
    return [box.device, box.state, from ?? '', box.word?.at ?? ''];
  });
  return [
    'The receipt holds.',
    what,
    `Asked for:        ${requestedAt}`,
    ...keys,
    `As of:            ${new Date(iat * 1000).toISOString()}`,
    `Destruction:      ${by}`,
    `In the log:       ${head.log}, of ${head.size} entries (root ${head.root})`,
    formatTable(['box', 'state', 'unrecoverable from', 'its word'], boxes),
  ].join('\n');
}
