import type { Stats } from '../../../shared/messages/events.ts';
import type { Palette } from './palette.ts';

/** Puts into words what becomes of a box's link and of its tenants. */
export class CloudPrinter {
  readonly #palette: Palette;
  /** What was last said of each. */
  readonly #said = new Map<string, string>();

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  /** @returns a line for each thing that has changed */
  linesOf({ at, link, vaults }: Stats): string[] {
    const now = vaults.map(({ tenant, state }) => [tenant, state === 'ready' ? 'open' : 'dark'] as const);
    const linked = link?.connected ? 'connected' : `cut off from its cloud${link?.problem ? `: ${link.problem}` : ''}`;
    return [...now, ['the box', linked] as const].flatMap(([what, state]) => {
      const before = this.#said.get(what);
      this.#said.set(what, state);
      if (before === undefined || before === state) return [];
      const good = state === 'open' || state === 'connected';
      const told = good ? this.#palette.good(state) : this.#palette.bad(state);
      return `${this.#palette.dim(new Date(at).toLocaleTimeString('en-GB'))}  ${this.#palette.bold(what)} is ${told}`;
    });
  }
}
