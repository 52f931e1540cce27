import sharp from 'sharp';
import { FRAME } from './script.ts';
import { toYuv420, yuvOf } from './yuv.ts';

/**
 * An empty room as a camera sees it, as planar YUV 4:2:0: wall, floor, door, windows and lamps, out of focus.
 * @param hue colour of the room, degrees
 */
export async function makeBackground(hue: number): Promise<Buffer> {
  const { width, height } = FRAME;
  const colour = (lightness: number, saturation = 22): string => `hsl(${hue},${saturation}%,${lightness}%)`;
  const lamps = [180, 520, 860, 1160].map((x) => `<ellipse cx="${x}" cy="40" rx="70" ry="16" fill="${colour(88, 35)}"/>`).join('');
  const panels = [90, 330, 820, 1060]
    .map((x) => `<rect x="${x}" y="120" width="150" height="250" fill="${colour(46)}" stroke="${colour(24)}" stroke-width="8"/>`)
    .join('');
  const tiles = Array.from(
    { length: 14 },
    (_, index) => `<path d="M640 380 L${-900 + index * 240} 720" stroke="${colour(22)}" stroke-width="3"/>`,
  ).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="wall" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colour(58)}"/><stop offset="1" stop-color="${colour(38)}"/></linearGradient>
    <linearGradient id="floor" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colour(26)}"/><stop offset="1" stop-color="${colour(34)}"/></linearGradient></defs>
    <rect width="${width}" height="470" fill="url(#wall)"/>${panels}${lamps}
    <rect x="560" y="150" width="170" height="320" fill="${colour(20)}" stroke="${colour(14)}" stroke-width="10"/>
    <rect y="470" width="${width}" height="250" fill="url(#floor)"/><g transform="translate(0,90)">${tiles}</g>
  </svg>`;
  const rgb = await sharp(Buffer.from(svg)).flatten().blur(4).removeAlpha().raw().toBuffer();
  return toYuv420(yuvOf(rgb), width, height);
}
