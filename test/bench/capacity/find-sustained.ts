/** Fewest runs that tell the number well enough: each takes half a minute. */
const MOST_RUNS = 4;
/** Steps smaller than this share of the number say nothing. */
const RESOLUTION = 0.08;

/**
 * The greatest number of cameras that is kept up with.
 * @param guess where to begin
 * @param keepsUp whether a run with so many cameras skipped nothing
 * @returns 0 where not even one was
 */
export async function findSustained(guess: number, keepsUp: (cameras: number) => Promise<boolean>): Promise<number> {
  let kept = 0;
  let tooMany = Number.POSITIVE_INFINITY;
  let next = Math.max(1, Math.round(guess));
  for (let run = 0; run < MOST_RUNS && tooMany - kept > Math.max(1, RESOLUTION * kept); run += 1) {
    if (await keepsUp(next)) kept = next;
    else tooMany = next;
    next = tooMany === Number.POSITIVE_INFINITY ? Math.ceil(kept * 1.25) : Math.max(kept + 1, Math.floor((kept + tooMany) / 2));
  }
  return kept;
}
