import type { LiveHeader, LiveTrack } from './live-message.ts';
import { placeLabels, type Rectangle } from './place-labels.ts';

/** Colours on the picture itself: the same in light and dark, chosen to stand out from any scene. */
const COLOURS: Readonly<Record<LiveTrack['outcome'], string>> = { person: '#4fe0a4', unknown: '#ffbd5c', undecided: '#e3ebf0' };
const LABEL_GROUND = 'rgba(8, 14, 18, 0.82)';
const LABEL_TEXT = '#ffffff';
/** In CSS pixels. */
const LABEL = { height: 20, pad: 6, stripe: 4, gap: 5, most: 190 };

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
  const tracks = header.tracks.map(({ box, ...track }) => ({
    colour: COLOURS[track.outcome],
    label: labelOf(track),
    box: { x: box.x * toX, y: box.y * toY, width: box.width * toX, height: box.height * toY },
  }));
  for (const { box, colour } of tracks) drawCorners(context, box, colour, scale);
  context.font = `600 ${12.5 * scale}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const labels = tracks.flatMap(({ box, colour, label }) => {
    if (label === null) return [];
    const text = shorten(context, label, LABEL.most * scale);
    return [
      { box, colour, text, width: context.measureText(text).width + (2 * LABEL.pad + LABEL.stripe) * scale, height: LABEL.height * scale },
    ];
  });
  const places = placeLabels(labels, canvas, LABEL.gap * scale);
  for (const [index, label] of labels.entries()) {
    const place = places[index];
    if (place !== undefined) drawLabel(context, { ...place, width: label.width, height: label.height }, label.text, label.colour, scale);
  }
}

function shorten(context: CanvasRenderingContext2D, text: string, most: number): string {
  if (context.measureText(text).width <= most) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(`${characters.join('')}…`).width > most) characters.pop();
  return `${characters.join('')}…`;
}

function drawCorners(context: CanvasRenderingContext2D, box: Rectangle, colour: string, scale: number): void {
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
  { x, y, width, height }: Rectangle,
  text: string,
  colour: string,
  scale: number,
): void {
  const stripe = LABEL.stripe * scale;
  context.fillStyle = LABEL_GROUND;
  context.beginPath();
  context.roundRect(x, y, width, height, stripe);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, stripe, height, [stripe, 0, 0, stripe]);
  context.fill();
  context.fillStyle = LABEL_TEXT;
  context.fillText(text, x + stripe + LABEL.pad * scale, y + height / 2 + 0.5 * scale);
}
