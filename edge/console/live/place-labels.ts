export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A label to be placed at its box. */
export interface Label {
  readonly box: Rectangle;
  readonly width: number;
  readonly height: number;
}

/**
 * Where each label goes: above its box, else below it, else inside; the first of them that covers no label placed before.
 * @param gap between box and label
 * @returns left upper corners in the order of the labels, inside of the canvas
 */
export function placeLabels(
  labels: readonly Label[],
  canvas: { readonly width: number; readonly height: number },
  gap: number,
): readonly { x: number; y: number }[] {
  const placed: Rectangle[] = [];
  for (const { box, width, height } of labels) {
    const x = clamp(box.x + (box.width - width) / 2, canvas.width - width);
    const rows = [box.y - height - gap, box.y + box.height + gap, box.y + gap];
    const free = rows
      .filter((y) => y >= 0 && y + height <= canvas.height)
      .map((y) => ({ x, y, width, height }))
      .find((place) => !placed.some((other) => overlap(place, other)));
    placed.push(free ?? { x, y: clamp(box.y + gap, canvas.height - height), width, height });
  }
  return placed.map(({ x, y }) => ({ x, y }));
}

const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));

const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
