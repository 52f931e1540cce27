import { drawLive } from './draw-live.ts';
import type { LiveHeader, LiveMessage } from './live-message.ts';

/** Narrower pictures, in CSS pixels, have smaller lines and names on them. */
const FULL_SIZE = 340;
const SMALLEST_SCALE = 0.75;

/** One camera's canvas. The newest picture is drawn next: a page that is slower than the box misses pictures and shows no old ones. */
export class LiveScreen {
  readonly #canvas: HTMLCanvasElement;
  readonly #onDrawn: (header: LiveHeader) => void;
  #next: LiveMessage | undefined;
  #drawing = false;

  constructor(canvas: HTMLCanvasElement, onDrawn: (header: LiveHeader) => void) {
    this.#canvas = canvas;
    this.#onDrawn = onDrawn;
  }

  async show(message: LiveMessage): Promise<void> {
    this.#next = message;
    if (this.#drawing) return;
    this.#drawing = true;
    try {
      while (this.#next !== undefined) {
        const { header, jpeg } = this.#next;
        this.#next = undefined;
        const picture = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
        drawLive(this.#canvas, picture, header, fitCanvas(this.#canvas, header.height / header.width));
        picture.close();
        this.#onDrawn(header);
      }
    } finally {
      this.#drawing = false;
    }
  }
}

/** Gives the canvas as many pixels as it takes on the screen. @returns its pixels a CSS pixel of lines and text */
function fitCanvas(canvas: HTMLCanvasElement, aspect: number): number {
  const { devicePixelRatio } = window;
  const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const height = Math.max(1, Math.round(width * aspect));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return devicePixelRatio * Math.min(1, Math.max(SMALLEST_SCALE, canvas.clientWidth / FULL_SIZE));
}
