import type { AckState } from '../../../shared/fleet/ack.ts';
import type { CommandClaims, Pair } from '../../../shared/fleet/command.ts';

/** A command that this box has taken. */
export interface JournalEntry {
  readonly id: string;
  /** As it came. */
  readonly token: string;
  /** `IN_PROGRESS` until it is known what came of it. */
  readonly state: AckState;
  /** The box's last word on it, signed; null before. */
  readonly ack: string | null;
}

/** The highest pair that was taken, and the command that had it. */
export type Highest = Pair & { readonly command: string };

/**
 * What the box remembers of commands. What a method has written is on the disk when it returns. A command that has an end is forgotten long
 * after it, when the control plane has written down the word on it: whoever repeats it then is told that it has expired. One without an end,
 * as few as the shreds, erasures and leases that people decided on, is remembered for ever.
 */
export interface CommandJournal {
  highest(): Highest | null;
  find(id: string): JournalEntry | undefined;
  /** Takes a command, before anything of it is done. */
  begin(claims: CommandClaims, token: string): void;
  /** Takes a command of which nothing is done, with the box's word on it. */
  refuse(claims: CommandClaims, token: string, ack: string): void;
  /** A command that was taken has come again under a later pair. */
  raise(id: string, pair: Pair): void;
  /** What came of it. @param ack the box's word, to be told until it is kept */
  settle(id: string, state: AckState, ack: string): void;
  /** Those that were begun and not settled, in the order in which they came. */
  begun(): readonly JournalEntry[];
  /** Last words that the control plane has not confirmed, in the order in which the commands came; the first of them. */
  untold(): readonly string[];
  /** A last word takes the place of the same one under a key that counts no more. */
  signedAnew(ack: string, anew: string): void;
  /** The control plane has written down a word. @param digest SHA-256 of it, base64url */
  kept(digest: string, receipt: string): void;
  /** The newest receipt of the control plane. */
  newestReceipt(): string | null;
  /** Every word is to be told again. */
  tellAgain(): void;
}
