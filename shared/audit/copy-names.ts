import { TILE_WIDTH, type TilePlace } from '../crypto/merkle/tiles.ts';

/**
 * Names of what is kept of a log apart from the control plane, below the id of the log: hashes and signed words, which say nothing of what
 * was done. Tiles are named as C2SP tlog-tiles does it, and hold the hashes one after the other.
 */
export function tileName(log: string, { level, number }: TilePlace, width: number): string {
  const groups =
    String(number)
      .padStart(Math.ceil(String(number).length / 3) * 3, '0')
      .match(/.{3}/g) ?? [];
  const path = groups.map((group, index) => (index < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${log}/tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Digits of the largest number of leaves: the names come in the order of the sizes. */
const SIZE_DIGITS = 16;

/** A signed head. */
export function checkpointName(log: string, size: number): string {
  return `${checkpointsOf(log)}${String(size).padStart(SIZE_DIGITS, '0')}`;
}

export function checkpointsOf(log: string): string {
  return `${log}/checkpoint/`;
}

/** The signed word by which the log went on from another one. */
export function forkName(log: string): string {
  return `${log}/fork`;
}

/** A word by which the key changed that signs heads, counted from 0. */
export function keyChangeName(log: string, number: number): string {
  return `${log}/key-change/${String(number).padStart(4, '0')}`;
}

const NAME = /^([0-9A-HJKMNP-TV-Z]{26})\/(?:tile\/[\dx/.p]{1,64}|checkpoint\/(\d{16})|(fork)|(key-change)\/\d{4})$/;

export interface CopyName {
  readonly log: string;
  /** Of the tree of a head. */
  readonly size: number | undefined;
  readonly isFork: boolean;
  readonly isKeyChange: boolean;
}

/** Which log a name is about, and what it names of it. Undefined for what is none of these names. */
export function readCopyName(name: string): CopyName | undefined {
  const [, log, size, fork, change] = NAME.exec(name) ?? [];
  if (log === undefined) return undefined;
  return { log, size: size === undefined ? undefined : Number(size), isFork: fork !== undefined, isKeyChange: change !== undefined };
}
