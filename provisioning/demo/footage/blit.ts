import type { FaceBox } from './face-box-at.ts';
import type { Sprite } from './sprite.ts';

/**
 * Draws a sprite into a planar YUV 4:2:0 picture so that its face fills `box`'s height around its centre.
 * Bilinear; the sprite is at least as large as what is drawn and at most about twice as large, so nothing aliases.
 */
export function blit(frame: Buffer, size: { width: number; height: number }, sprite: Sprite, box: FaceBox): void {
  const scale = box.height / sprite.face.height;
  const left = box.x + box.width / 2 - sprite.face.x * scale;
  const top = box.y + box.height / 2 - sprite.face.y * scale;
  const luma = size.width * size.height;
  const target = { left, top, scale, sprite };
  drawPlane(frame.subarray(0, luma), size.width, size.height, 1, sprite.yuv.y, target);
  drawPlane(frame.subarray(luma, luma * 1.25), size.width / 2, size.height / 2, 2, sprite.yuv.u, target);
  drawPlane(frame.subarray(luma * 1.25), size.width / 2, size.height / 2, 2, sprite.yuv.v, target);
}

function drawPlane(
  plane: Buffer,
  width: number,
  height: number,
  step: number,
  colour: Uint8Array,
  { left, top, scale, sprite }: { left: number; top: number; scale: number; sprite: Sprite },
): void {
  const { width: w, height: h, alpha } = sprite;
  const fromX = Math.max(0, Math.ceil(left / step));
  const toX = Math.min(width, Math.floor((left + w * scale) / step));
  const fromY = Math.max(0, Math.ceil(top / step));
  const toY = Math.min(height, Math.floor((top + h * scale) / step));
  for (let y = fromY; y < toY; y += 1) {
    const sy = clamp(((y + 0.5) * step - top) / scale - 0.5, h - 2);
    const y0 = Math.floor(sy);
    const fy = sy - y0;
    for (let x = fromX; x < toX; x += 1) {
      const sx = clamp(((x + 0.5) * step - left) / scale - 0.5, w - 2);
      const x0 = Math.floor(sx);
      const at = y0 * w + x0;
      const opacity = alpha[at] ?? 0;
      if (opacity === 0) continue;
      const fx = sx - x0;
      const above = (colour[at] ?? 0) * (1 - fx) + (colour[at + 1] ?? 0) * fx;
      const below = (colour[at + w] ?? 0) * (1 - fx) + (colour[at + w + 1] ?? 0) * fx;
      const value = above * (1 - fy) + below * fy;
      const out = y * width + x;
      const old = plane[out] ?? 0;
      plane[out] = old + ((value - old) * opacity) / 255 + 0.5;
    }
  }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}
