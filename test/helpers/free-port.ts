import { freePort as anyFreePort } from '../../provisioning/cloud/free-port.ts';

/** Of each worker of the tests, beside those that the product takes: between the moment a port is found and that it is listened on nobody else takes it. */
const [FIRST, EACH, WORKERS] = [10_000, 1000, 10];

const given = new Set<number>();

/** A TCP port of loopback that was free a moment ago, and that no other test is given. */
export async function freePort(): Promise<number> {
  const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS) * EACH;
  const port = await anyFreePort([first, first + EACH]);
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}
