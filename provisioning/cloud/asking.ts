import { Command } from 'commander';
import { type CloudClient, contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import { formatTable } from './format-table.ts';
import { type CloudOptions, openCloud } from './open-cloud.ts';

/** A subcommand with the configuration of the control plane. */
export function configured(name: string): Command {
  return new Command(name)
    .requiredOption('--config <file>', 'configuration of the control plane (JSON)')
    .option('--json', 'print the answer, and an error, as JSON');
}

/** One that asks the control plane, as somebody. */
export function asking(name: string): Command {
  return configured(name).option('--account <id>', 'whose rights are used; default: the operator on this machine');
}

/** Lists all there is, page by page. */
export async function list<Item extends object>(
  options: CloudOptions,
  fields: readonly (keyof Item & string)[],
  readPage: (cloud: CloudClient, query: { cursor: string; limit: number }) => Promise<{ data?: { items: Item[]; next: string | null } }>,
): Promise<void> {
  const cloud = await openCloud(options);
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: Item[]; next: string | null } = await contentOf(readPage(cloud, { cursor, limit: 200 }));
    items.push(...page.items);
    cursor = page.next;
  }
  print(options, items, () =>
    formatTable(
      fields,
      items.map((item) => fields.map((field) => String(item[field] ?? ''))),
    ),
  );
}

/** Makes or changes one thing, and tells its id. */
export async function make(options: CloudOptions, call: (cloud: CloudClient) => Promise<{ data?: { id: string } }>): Promise<void> {
  const made = await contentOf(call(await openCloud(options)));
  print(options, made, () => made.id);
}

export function print({ json }: CloudOptions, content: unknown, format: () => string): void {
  process.stdout.write(`${json === true ? JSON.stringify(content) : format()}\n`);
}
