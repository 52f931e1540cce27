let offsetMs = 0;

/** The clock of the box, to the second: a tablet's own may be minutes off, and some things are only there for seconds. */
export const boxClock = {
  /** @param date the Date header of an answer */
  observe(date: string | null): void {
    const told = date === null ? Number.NaN : Date.parse(date);
    // The header is cut to the second: this clock is up to a second behind the box, and never ahead of it.
    if (Number.isFinite(told)) offsetMs = told - Date.now();
  },
  /** Milliseconds since the Unix epoch. */
  now: (): number => Date.now() + offsetMs,
};
