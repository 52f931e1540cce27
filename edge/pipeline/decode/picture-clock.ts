/** What FFmpeg assumes of a stream that does not tell its rate: 25 pictures a second. */
const USUAL_MS = 40;

/**
 * The times of one stream's pictures, from 0. A picture that comes without a time follows the one before at the stream's
 * rate: so do all pictures of a bare H.264 file, and the first one of an RTSP stream is one such.
 */
export class PictureClock {
  #offset: number | undefined;
  #next = 0;

  /**
   * @param presentationMs as the stream tells it, null where it does not
   * @param durationMs how long the picture lasts, 0 where unknown
   * @returns milliseconds since the stream's first picture
   */
  timeOf(presentationMs: number | null, durationMs: number): number {
    if (presentationMs !== null) this.#offset ??= this.#next - presentationMs;
    const time = presentationMs === null || this.#offset === undefined ? this.#next : presentationMs + this.#offset;
    this.#next = time + (durationMs > 0 ? durationMs : USUAL_MS);
    return time;
  }
}
