/** The forms in which an embedding could lie on a disk. */
export const EMBEDDING_FORMS: Readonly<Record<string, (embedding: Float32Array) => Buffer>> = {
  float32: (embedding) => Buffer.from(embedding.slice().buffer),
  float16: (embedding) => {
    const bytes = Buffer.alloc(embedding.length * 2);
    for (const [index, value] of embedding.entries()) bytes.writeUInt16LE(float16(value), index * 2);
    return bytes;
  },
  'int8 of -1..1': (embedding) => int8(embedding, 127),
  'int8 of its range': (embedding) =>
    int8(embedding, 127 / embedding.reduce((max, value) => Math.max(max, Math.abs(value)), Number.EPSILON)),
};

function int8(embedding: Float32Array, scale: number): Buffer {
  return Buffer.from(Int8Array.from(embedding, (value) => Math.max(-128, Math.min(127, Math.round(value * scale)))).buffer);
}

/** IEEE 754 binary16 of a number below 65504, rounded to nearest. */
function float16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // A mantissa that rounds up to 1024 carries into the exponent, as it should.
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}

export interface TextForm {
  readonly form: string;
  readonly text: string;
  readonly charactersPerByte: number;
}

/** The texts that binary data could be written as: hexadecimal, and Base64 as it comes out at each of the three byte offsets. */
export function textForms(bytes: Buffer): TextForm[] {
  const forms: TextForm[] = [{ form: 'hex', text: bytes.toString('hex'), charactersPerByte: 2 }];
  for (let offset = 0; offset < 3; offset += 1) {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    for (const form of ['base64', 'base64url'] as const) {
      // The characters at both ends also hold bits of what stands beside the data.
      forms.push({ form, text: shifted.toString(form).slice(4, -4), charactersPerByte: 4 / 3 });
    }
  }
  return forms;
}
