import { z } from 'zod';

/** Where a page ended: the position of its last row. Positions only grow, so what is added or removed meanwhile moves no page. */
export const cursorSchema = z.string().regex(/^[0-9]{1,15}$/, { error: 'not a cursor' });

/** @returns the position before which the page begins; all positions are smaller than that of no cursor */
export function positionOf(cursor: string | undefined): number {
  return cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
}

export function cursorAt(position: number): string {
  return String(position);
}
