/** One analysed picture of a camera with what the box saw on it. */
export interface LiveMessage {
  readonly header: LiveHeader;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

export interface LiveHeader {
  readonly tenant: string;
  readonly camera: string;
  readonly mediaMs: number;
  /** Pixels that the boxes count in; the JPEG may be smaller. */
  readonly width: number;
  readonly height: number;
  readonly tracks: readonly LiveTrack[];
  readonly jpegBytes: number;
}

export interface LiveTrack {
  readonly track: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly outcome: 'person' | 'unknown' | 'undecided';
  readonly customerId: string | null;
  readonly name: string | null;
}
