import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { EitherUplink } from '../../edge/link/either-uplink.ts';
import { NO_LIMITS, PATIENT, pinAdmins } from '../helpers/cloud.ts';
import { CloudProcess, MAIN } from '../helpers/cloud-process.ts';
import { TestBox } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { testKms } from '../helpers/kms.ts';
import { Deeds } from '../helpers/ledger-place.ts';
import { hasMosquitto, Mosquitto } from '../helpers/mosquitto.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { startLink } from '../helpers/start-link.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const NAMES = ['control-plane', 'control-plane-2'] as const;
const PATIENTLY = { timeout: 60_000, interval: 50 };
const COMMANDS_EACH = 12;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

/** Two processes of one control plane, on one Postgres and one mosquitto, with the org `acme`. */
class Pair {
  readonly clouds: readonly [CloudProcess, CloudProcess];
  readonly fleetUrls: readonly [string, string];
  readonly #admin: { account: string; org: string };

  private constructor(clouds: readonly [CloudProcess, CloudProcess], fleetUrls: readonly [string, string], account: string) {
    this.clouds = clouds;
    this.fleetUrls = fleetUrls;
    this.#admin = { account, org: 'acme' };
  }

  static async start(): Promise<Pair> {
    const kms = await testKms('software');
    await pinAdmins(kms, 'acme');
    const [folder, DATABASE_URL, brokerPort] = [await tempFolder(), await postgres.database(), await freePort()];
    const env = { ...process.env, DATABASE_URL };
    const [first, second] = [await prepare(NAMES[0]), await prepare(NAMES[1])];
    async function prepare(name: string) {
      const [config, dataDir, port, fleetPort] = [join(folder, `${name}.json`), join(folder, name), await freePort(), await freePort()];
      const broker = { url: `mqtts://127.0.0.1:${brokerPort}`, name };
      const fleet = { port: fleetPort, broker, rateLimits: { perBox: 1_000_000, perAddress: 1_000_000 } };
      await writeFile(
        config,
        JSON.stringify({ dataDir, api: { port, rateLimits: NO_LIMITS, pressure: PATIENT }, fleet, kms: { socket: kms.socket } }),
      );
      return { config, cloud: new CloudProcess(port, config, dataDir, env), fleetUrl: `https://localhost:${fleetPort}` };
    }
    const args = ['--config', first.config, '--name', '127.0.0.1', '--out', folder, '--control-plane', ...NAMES, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'cloud', 'broker-certificate', ...args], { env });
    const mosquitto = new Mosquitto({ ...JSON.parse(stdout), folder, port: brokerPort });
    await mosquitto.start();
    onTestFinished(() => mosquitto.stop());
    await Promise.all([first.cloud.start(), second.cloud.start()]);
    await first.cloud.ask('POST', '/v1/orgs', { id: 'acme', name: 'Acme', jurisdiction: 'CH' });
    const named = await first.cloud.ask('POST', '/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
    return new Pair([first.cloud, second.cloud], [first.fleetUrl, second.fleetUrl], named.body.id);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is asserted says what it is
  async ask(which: 0 | 1, method: string, path: string, body?: object): Promise<any> {
    const answer = await this.clouds[which].ask(method, `/v1/orgs/acme${path}`, body, this.#admin);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  }

  /** A box that enrols at one of the two. */
  async enrolled(which: 0 | 1): Promise<TestBox> {
    const { token } = await this.ask(which, 'POST', '/enrolment-tokens', {});
    const box = await TestBox.make();
    await box.enrol(this.fleetUrls[which], token);
    return box;
  }

  /** @returns the id of the command */
  async order(which: 0 | 1, device: string, tenant: string): Promise<string> {
    const order = { kind: 'restart-tenant', body: { tenant } };
    return (await this.ask(which, 'POST', '/commands', { device, order })).id;
  }

  async statesOf(which: 0 | 1, device: string): Promise<Record<string, number>> {
    const { items } = await this.ask(which, 'GET', `/commands?device=${device}&limit=200`);
    const counts: Record<string, number> = {};
    for (const { state } of items as { state: string }[]) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }
}

describe.runIf(hasMosquitto)('two processes of one control plane, on one Postgres and one mosquitto', () => {
  test('one is killed while both give commands: each is done once and in order, and a box is reached and cut off by either', async () => {
    const pair = await Pair.start();
    // The third box gets no MQTT through, and asks the first process for what either says.
    const boxes = [await pair.enrolled(0), await pair.enrolled(1), await pair.enrolled(0)];
    const deeds = boxes.map(() => new Deeds());
    const links: EitherUplink[] = [];
    for (const [index, box] of boxes.entries()) {
      const blocked = index === 2 ? { mqtt: `mqtts://localhost:${await freePort()}`, patienceMs: 100 } : {};
      links.push(await startLink(box, { executors: (deeds[index] as Deeds).executors, ...blocked }));
    }
    await expect.poll(() => links.map(({ by }) => by), PATIENTLY).toEqual(['mqtt', 'mqtt', 'https']);

    const given = boxes.map(() => [] as string[]);
    const give = async (count: number, by: (n: number) => 0 | 1): Promise<void> => {
      for (let n = 0; n < count; n++) {
        for (const [index, { id }] of boxes.entries()) {
          const tenant = `t-${index}-${given[index]?.length}`;
          await pair.order(by(n), id, tenant);
          given[index]?.push(`restart ${tenant}`);
        }
      }
    };
    await give(COMMANDS_EACH / 2, (n) => (n % 2) as 0 | 1);
    await pair.clouds[1].kill();
    await give(COMMANDS_EACH / 4, () => 0);
    await pair.clouds[1].start();
    await give(COMMANDS_EACH / 4, () => 1);
    for (const { id } of boxes) {
      await expect.poll(() => pair.statesOf(1, id), PATIENTLY).toEqual({ SUCCEEDED: COMMANDS_EACH });
      expect((await pair.ask(0, 'GET', `/receipts?device=${id}&limit=200`)).items).toHaveLength(COMMANDS_EACH);
    }
    expect(deeds.map(({ begun }) => begun)).toEqual(given);
    expect(deeds.map(({ done }) => done)).toEqual(given);

    // Denied by the process where it did not enrol.
    await pair.ask(1, 'POST', `/devices/${boxes[0]?.id}/deny`);
    await expect.poll(() => links[0]?.problem, PATIENTLY).toMatch(/subscribe error|not authorized/i);
    expect(links[1]?.problem).toBeNull();
    await pair.ask(0, 'POST', `/devices/${boxes[1]?.id}/deny`);
    await expect.poll(() => links[1]?.problem, PATIENTLY).toMatch(/subscribe error|not authorized/i);
    await pair.ask(1, 'POST', `/devices/${boxes[2]?.id}/deny`);
    await expect.poll(() => links[2]?.by, PATIENTLY).toBeNull();
  }, 240_000);
});
