import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Order } from '../../shared/fleet/command.ts';
import type { Commands } from '../fleet/ledger/commands.ts';
import type { Told } from './told-boxes.ts';

/** A box that could not do it is told again after this long. */
const AGAIN_MS = 60_000;

/** What a box is told, under which id. */
export interface ToTell {
  readonly org: string;
  readonly device: string;
  readonly command: string;
  /** Who decided it. */
  readonly by: string;
  readonly order: Order;
}

export interface TellBoxOptions {
  readonly commands: Pick<Commands, 'create' | 'newId'>;
  readonly now: () => number;
  /** Writes down under which id a box is told next, before it is. */
  readonly replace: (device: string, command: string) => Promise<void>;
}

/**
 * Sees to it that a box is told what it has to do: once, and again when it said that it could not. One that is not enrolled now is told
 * when it is.
 */
export async function tellBox({ commands, now, replace }: TellBoxOptions, told: Told | undefined, what: ToTell): Promise<void> {
  const { org, device, command, by, order } = what;
  const failed = told?.state === 'FAILED' || told?.state === 'REJECTED';
  if (told?.state !== undefined && !(failed && told.changedAt + AGAIN_MS <= now())) return;
  const id = failed ? commands.newId() : command;
  if (failed) await replace(device, id);
  try {
    await commands.create(org, id, by, { device, order });
  } catch (error) {
    if (!(error instanceof SecureGateError) || error.code !== 'device_not_found') throw error;
  }
}
