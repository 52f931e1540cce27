import { ByteSearch } from './byte-search.ts';
import { EMBEDDING_FORMS, textForms } from './encodings.ts';

/** What must not lie on any disk in the clear. */
export interface Secrets {
  readonly embeddings: readonly Float32Array[];
  readonly names: readonly string[];
  /** JPEG files. */
  readonly pictures: readonly Buffer[];
  /** Ids of customers, where they must not lie either. */
  readonly customerIds?: readonly string[];
}

/** Counted in values: a run of 16 values of an embedding holds one of these windows whole, in whichever form. */
const VALUES = { window: 8, step: 8 };
/** A byte a value says little: longer windows keep chance finds away. */
const BYTES = { window: 12, step: 4 };
const TEXT = { window: 9, step: 6 };
/** Counted in bytes. */
const PICTURE = { window: 24, step: 256 };

/** A search for everything that would give a person away. Labels say what was found. */
export function secretsSearch({ embeddings, names, pictures, customerIds = [] }: Secrets): ByteSearch {
  const search = new ByteSearch();
  for (const embedding of embeddings) {
    for (const [form, encode] of Object.entries(EMBEDDING_FORMS)) {
      const bytes = encode(embedding);
      const size = bytes.length / embedding.length;
      const { window, step } = size === 1 ? BYTES : VALUES;
      addWindows(search, `embedding, ${form}`, bytes, window * size, step * size);
      for (const { form: encoding, text, charactersPerByte } of textForms(bytes)) {
        const characters = size * charactersPerByte;
        const windowLength = Math.floor(TEXT.window * characters);
        addWindows(
          search,
          `embedding, ${form}, ${encoding}`,
          Buffer.from(text, 'latin1'),
          windowLength,
          Math.floor(TEXT.step * characters),
        );
      }
    }
  }
  for (const name of names) addText(search, 'name', name, name.split(' '));
  // What stands before it is the same in every id.
  for (const id of customerIds) addText(search, 'customer id', id, [id.slice(id.indexOf('_') + 1)]);
  for (const picture of pictures) addWindows(search, 'picture', imageData(picture), PICTURE.window, PICTURE.step);
  return search;
}

/** A text, also as a signed word holds it, and parts that give it away alone. */
function addText(search: ByteSearch, what: string, whole: string, parts: readonly string[]): void {
  for (const text of [whole, ...parts]) {
    search.add(`${what}, UTF-8`, Buffer.from(text, 'utf8'));
    search.add(`${what}, UTF-16`, Buffer.from(text, 'utf16le'));
  }
  for (const { form, text } of textForms(Buffer.from(whole, 'utf8'))) search.add(`${what}, ${form}`, Buffer.from(text, 'latin1'));
}

function addWindows(search: ByteSearch, label: string, bytes: Buffer, window: number, step: number): void {
  for (let at = 0; at + window <= bytes.length; at += step) search.add(label, bytes.subarray(at, at + window));
}

/**
 * The entropy-coded data of a JPEG file: what stands before it is alike in many files (ITU-T T.81, B.2.1).
 * @throws {RangeError} where the file has none
 */
export function imageData(jpeg: Buffer): Buffer {
  const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
  if (scan === -1) throw new RangeError('Not a JPEG file');
  return jpeg.subarray(scan + 2 + jpeg.readUInt16BE(scan + 2));
}
