import type { LiveHeader, LiveTrack } from './live-message.ts';

/** Colours on the picture itself: the same in light and dark, chosen to stand out from any scene. */
const COLOURS: Readonly<Record<LiveTrack['outcome'], string>> = { person: '#4fe0a4', unknown: '#ffbd5c', undecided: '#e3ebf0' };
const LABEL_GROUND = 'rgba(8, 14, 18, 0.82)';
const LABEL_TEXT = '#ffffff';

/** Name on a track's label; null while it is undecided. */
export function labelOf({ outcome, name }: Pick<LiveTrack, 'outcome' | 'name'>): string | null {
  if (outcome === 'undecided') return null;
  return outcome === 'person' ? (name ?? 'Known') : 'Unknown';
}

/**
 * Draws a picture over the whole canvas, then the boxes and the names.
 * @param scale pixels of the canvas a CSS pixel, so that lines and text keep their size on every screen
 */
export function drawLive(canvas: HTMLCanvasElement, picture: CanvasImageSource, header: LiveHeader, scale: number): void {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  const { width, height } = canvas;
  context.drawImage(picture, 0, 0, width, height);
  const [toX, toY] = [width / header.width, height / header.height];
  for (const track of header.tracks) {
    const box = { x: track.box.x * toX, y: track.box.y * toY, width: track.box.width * toX, height: track.box.height * toY };
    drawCorners(context, box, COLOURS[track.outcome], scale);
    const label = labelOf(track);
    if (label !== null) drawLabel(context, box, label, COLOURS[track.outcome], scale, width);
  }
}

function drawCorners(context: CanvasRenderingContext2D, box: LiveTrack['box'], colour: string, scale: number): void {
  const arm = Math.min(box.width, box.height) * 0.28;
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const path = new Path2D();
  for (const [x, y, toX, toY] of [
    [box.x, box.y, arm, arm],
    [right, box.y, -arm, arm],
    [right, bottom, -arm, -arm],
    [box.x, bottom, arm, -arm],
  ] as const) {
    path.moveTo(x + toX, y);
    path.lineTo(x, y);
    path.lineTo(x, y + toY);
  }
  context.lineCap = 'round';
  context.lineJoin = 'round';
  // A dark line below the coloured one keeps it visible on bright scenes.
  for (const [style, line] of [
    ['rgba(0, 0, 0, 0.55)', 4.5],
    [colour, 2.2],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = line * scale;
    context.stroke(path);
  }
}

function drawLabel(
  context: CanvasRenderingContext2D,
  box: LiveTrack['box'],
  label: string,
  colour: string,
  scale: number,
  canvasWidth: number,
): void {
  const [pad, height] = [6 * scale, 20 * scale];
  context.font = `600 ${12.5 * scale}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const width = Math.min(context.measureText(label).width + 2 * pad + 5 * scale, canvasWidth);
  const x = Math.max(0, Math.min(box.x + (box.width - width) / 2, canvasWidth - width));
  const above = box.y - height - 5 * scale;
  const y = above >= 0 ? above : Math.max(0, box.y + 4 * scale);
  context.fillStyle = LABEL_GROUND;
  context.beginPath();
  context.roundRect(x, y, width, height, 4 * scale);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, 4 * scale, height, [4 * scale, 0, 0, 4 * scale]);
  context.fill();
  context.fillStyle = LABEL_TEXT;
  context.fillText(label, x + 4 * scale + pad, y + height / 2 + 0.5 * scale, width - pad);
}
