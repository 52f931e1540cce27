import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Removes what is over, lot after lot; in between, others get their turn.
 * @param deleteLot removes some of it; gives false where nothing is left
 */
export async function deleteInLots(deleteLot: () => Promise<boolean>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted && (await deleteLot())) await nextTurn();
}
