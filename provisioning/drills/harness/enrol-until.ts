import type { TenantId } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import { enrol } from './enrol.ts';
import { within } from './within.ts';

const WRITERS = 4;
/** The first writes of a box that has just started take longer. */
const FIRST_MS = 10_000;

/** What was written while something happened. */
export interface Written {
  /** Ids of the customers that the box has acknowledged: it owes them from then on. */
  readonly acknowledged: ReadonlySet<string>;
  /** Also those of which nobody knows. */
  readonly tried: number;
}

/** Adds customers without a pause, several at a time; once the first is acknowledged lets `end` happen, of which the box answers no more. */
export async function enrolUntil(box: Box, tenant: TenantId, end: () => Promise<void>): Promise<Written> {
  const acknowledged = new Set<string>();
  let tried = 0;
  const writers = Array.from({ length: WRITERS }, async () => {
    for (;;) {
      tried += 1;
      // What was not acknowledged may be there or not.
      const id = await enrol(box, tenant, `Guest ${tried}`).catch(() => undefined);
      if (id === undefined) return;
      acknowledged.add(id);
    }
  });
  await within(FIRST_MS, 'a write is acknowledged', () => acknowledged.size > 0 || undefined);
  await end();
  await Promise.all(writers);
  return { acknowledged, tried };
}
