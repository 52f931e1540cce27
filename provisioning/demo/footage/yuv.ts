/** Three planes of one picture, all in the same size; ITU-R BT.601, limited range, as decoders assume it. */
export interface Yuv {
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/** @param rgb 8-bit pixels without padding */
export function yuvOf(rgb: Uint8Array): Yuv {
  const pixels = rgb.length / 3;
  const planes = { y: new Uint8Array(pixels), u: new Uint8Array(pixels), v: new Uint8Array(pixels) };
  for (let at = 0; at < pixels; at += 1) {
    const r = rgb[at * 3] ?? 0;
    const g = rgb[at * 3 + 1] ?? 0;
    const b = rgb[at * 3 + 2] ?? 0;
    planes.y[at] = 16.5 + 0.2568 * r + 0.5041 * g + 0.0979 * b;
    planes.u[at] = 128.5 - 0.1482 * r - 0.291 * g + 0.4392 * b;
    planes.v[at] = 128.5 + 0.4392 * r - 0.3678 * g - 0.0714 * b;
  }
  return planes;
}

/** Planar YUV 4:2:0 as encoders take it: full-size luma, both chroma planes averaged to half width and height. */
export function toYuv420(yuv: Yuv, width: number, height: number): Buffer {
  const half = (plane: Uint8Array): Uint8Array => {
    const small = new Uint8Array((width * height) / 4);
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        const at = y * width + x;
        const sum = (plane[at] ?? 0) + (plane[at + 1] ?? 0) + (plane[at + width] ?? 0) + (plane[at + width + 1] ?? 0);
        small[((y / 2) * width) / 2 + x / 2] = (sum + 2) >> 2;
      }
    }
    return small;
  };
  return Buffer.concat([yuv.y, half(yuv.u), half(yuv.v)]);
}
