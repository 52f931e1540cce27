let offsetMs = 0;

/** The clock of the box, to the second: a tablet's own may be minutes off, and some things are only there for seconds. */
export const boxClock = {
  /** @param date the Date header of an answer */
  observe(date: string | null): void {
    const told = date === null ? Number.NaN : Date.parse(date);
    // The header is cut to the second, so that on average the box is half a second further.
    if (Number.isFinite(told)) offsetMs = told + 500 - Date.now();
  },
  /** Milliseconds since the Unix epoch. */
  now: (): number => Date.now() + offsetMs,
};
