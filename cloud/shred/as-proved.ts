import { LONGEST_WAIT_MS } from '../../shared/audit/leaf.ts';

/** When keys were destroyed, milliseconds since the Unix epoch; null where they are there, or where that is unknown or promised by nobody. */
interface Destroyed {
  readonly destroyedAt: number | null;
  readonly unrecoverableFrom: number | null;
}

/**
 * As much of it as can be proved: keys are destroyed from when the log says so.
 * @param logged when the log says so; undefined where it does not
 */
export function asProved<Keys extends Destroyed>(keys: Keys, logged: { readonly loggedAt: number } | undefined): Keys {
  const { destroyedAt, unrecoverableFrom } = keys;
  if (destroyedAt === null) return keys;
  if (logged === undefined) return { ...keys, destroyedAt: null, unrecoverableFrom: null };
  // An entry gets into the log as it is made, unless the control plane was away meanwhile.
  const from = logged.loggedAt - destroyedAt <= LONGEST_WAIT_MS ? destroyedAt : logged.loggedAt;
  const later = from - destroyedAt;
  return { ...keys, destroyedAt: from, unrecoverableFrom: unrecoverableFrom === null ? null : Math.max(unrecoverableFrom + later, from) };
}
