/** Aborted when somebody interrupts this program, or closes its terminal; it puts away then what it has set up. A second Ctrl-C ends it as it is. */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  const end = (): void => interrupt.abort();
  process.once('SIGINT', end);
  // Whoever ends a whole group, as a terminal that is closed does, tells us twice: the launcher passes on what it hears.
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, end);
  // What is written to a terminal that is gone fails.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', end);
  return interrupt.signal;
}
