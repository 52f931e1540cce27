/** An 8-bit RGB picture: `data` holds `width * height * 3` bytes, rows top to bottom, no padding. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
