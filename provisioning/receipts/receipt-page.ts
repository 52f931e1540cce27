import type { Statement } from '../../shared/receipts/receipt.ts';
import type { ProvedByLog, VerifiedReceipt } from '../../shared/receipts/verify-receipt.ts';

type Box = Statement['boxes'][number];

/** More are counted together, so that it stays one page. */
const MOST_BOXES = 10;

/** More places in the log are not named. */
const MOST_PLACES = 3;

/** What the page of a receipt says, in plain words. */
export interface ReceiptPage {
  readonly title: string;
  readonly lead: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly boxes: readonly (readonly [box: string, state: string])[];
  readonly check: { readonly what: string; readonly digest: string; readonly how: string; readonly command: string; readonly keys: string };
}

/**
 * Tells a person what a receipt says. Boxes are numbered as in the receipt: of ids, there is only that by which somebody finds it again.
 * @param digest SHA-256 of the file of the receipt, as hexadecimal digits
 */
export function receiptPage({ said, head, proved }: VerifiedReceipt, digest: string): ReceiptPage {
  const place = `${said.tenant} (${said.org})`;
  const shred = said.kind === 'shred' ? said : undefined;
  return {
    title: shred ? 'Receipt of the deletion of a venue' : 'Receipt of the deletion of personal data',
    lead: shred
      ? `All data of ${place} were ordered to be deleted for ever: the keys are destroyed without which nothing of them can be read, and every box removes what it holds. This is how far that is.`
      : `Personal data were ordered to be deleted at ${place}: every box of this venue removes what it holds of them. This is how far that is.`,
    facts: [
      ['Receipt', said.jti],
      ['Asked for', plain(said.requestedAt)],
      ...(shred ? [['Keys destroyed', shred.destroyedAt === null ? 'not yet' : plain(shred.destroyedAt)] as const] : []),
      ['As of', plain(new Date(said.iat * 1000).toISOString())],
      ...(proved ? [['In the log', placesOf(proved, head.size)] as const] : []),
    ],
    boxes: boxesOf(said.boxes),
    check: {
      what: 'This page is a copy in words. The proof is the file that came with it, whose SHA-256 is:',
      digest,
      how: 'Anybody can check that file, without a network and without asking whoever made it:',
      command: 'securegate receipt verify receipt.json --keys keys.json',
      keys: 'keys.json holds the public keys of the control plane, as it tells them at /v1/receipt-keys to somebody whom you trust. A receipt that is made later may say more.',
    },
  };
}

/** The log that nobody can rewrite says it as well. */
function placesOf({ issued, destructions }: ProvedByLog, size: number): string {
  const places = [...new Set(destructions.map(({ leaf }) => leaf))];
  const keys = places.length === 0 ? '' : `the destruction of keys as ${entries(places)}, `;
  return `${keys}this receipt as ${entries([issued])}, of ${size}`;
}

/** The last few of many, so that it stays one line. */
function entries(leaves: readonly number[]): string {
  const named = leaves.slice(-MOST_PLACES).join(', ');
  return leaves.length > MOST_PLACES ? `entries …, ${named}` : `${leaves.length === 1 ? 'entry' : 'entries'} ${named}`;
}

function boxesOf(boxes: readonly Box[]): [string, string][] {
  if (boxes.length === 0) return [['No box', 'ever had the keys of this venue.']];
  if (boxes.length <= MOST_BOXES) return boxes.map((box, index) => [`Box ${index + 1}`, stateOf(box)]);
  const counted = Map.groupBy(boxes, ({ state }) => state);
  return [...counted].map(([state, those]) => [`${those.length} of ${boxes.length} boxes`, `${WORDS[state]}.`]);
}

const WORDS: Readonly<Record<Box['state'], string>> = {
  pending: 'Not deleted yet: it has not been heard of, and is told as soon as it is',
  erased: 'Deleted from it',
  unrecoverable: 'Deleted, and nobody can bring it back from any copy',
};

function stateOf({ state, unrecoverableFrom, word }: Box): string {
  const from = unrecoverableFrom === null ? undefined : plain(unrecoverableFrom);
  const signed = word === null ? '' : ` The box has signed this; it came ${plain(word.at)}.`;
  if (state === 'unrecoverable') return `${WORDS[state]}, since ${from}.${signed}`;
  if (from !== undefined) return `${WORDS[state]}. Nobody can bring it back from any copy from ${from} on.${signed}`;
  return state === 'pending'
    ? `${WORDS[state]}.`
    : `${WORDS[state]}. A full older copy of the box and of the keys might still bring it back.${signed}`;
}

/** To the minute, in the one time zone that everybody can compute with. */
function plain(time: string): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
