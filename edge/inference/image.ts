/** An 8-bit RGB picture: `data` holds `width * height * 3` bytes, rows top to bottom, no padding; none where only the reduced one was made. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** The whole picture once more at a smaller size, where whoever made it knew that it would be wanted. */
  readonly reduced?: RgbImage | undefined;
}
