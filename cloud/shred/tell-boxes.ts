import type { Order } from '../../shared/fleet/command.ts';
import type { Commands } from '../fleet/ledger/commands.ts';
import type { Told } from './told-boxes.ts';

/** A box that could not do it is told again after this long. */
const AGAIN_MS = 60_000;

/** What boxes are told. */
export interface ToTell {
  readonly org: string;
  /** Who decided it. */
  readonly by: string;
  readonly order: Order;
  /** Each with the id under which it is told, and what it said of that. */
  readonly boxes: readonly { readonly device: string; readonly command: string; readonly told: Told | undefined }[];
}

export interface TellBoxesOptions {
  readonly commands: Pick<Commands, 'createAll' | 'newId'>;
  readonly now: () => number;
  /** Writes down under which id a box is told next, before it is. */
  readonly replace: (device: string, command: string) => Promise<void>;
}

/**
 * Sees to it that boxes are told what they have to do: once, and again when one said that it could not. One that is not enrolled now is told
 * when it is.
 */
export async function tellBoxes({ commands, now, replace }: TellBoxesOptions, { org, by, order, boxes }: ToTell): Promise<void> {
  const toGive: { id: string; device: string; order: Order }[] = [];
  for (const { device, command, told } of boxes) {
    const failed = told?.state === 'FAILED' || told?.state === 'REJECTED';
    if (told?.state !== undefined && !(failed && told.changedAt + AGAIN_MS <= now())) continue;
    const id = failed ? commands.newId() : command;
    if (failed) await replace(device, id);
    toGive.push({ id, device, order });
  }
  await commands.createAll(org, by, toGive);
}
