import type { Removed } from '../../../shared/fleet/ack.ts';
import type { CommandBody, CommandKind, Order } from '../../../shared/fleet/command.ts';

/** What the box does for each kind of command. What it throws is told as the reason; `repeatable` ones can be begun again after a crash. What has removed something says how much. */
export type Executors = { readonly [Kind in CommandKind]: (body: CommandBody<Kind>) => Promise<Removed | undefined> | Promise<void> };

/** Does what is ordered. */
export async function execute<Kind extends CommandKind>(
  executors: Executors,
  { kind, body }: Extract<Order, { kind: Kind }>,
): Promise<Removed | undefined> {
  return (await executors[kind as Kind](body as CommandBody<Kind>)) ?? undefined;
}
