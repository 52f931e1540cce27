import { expect, onTestFinished, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

const DAY_MS = 86_400_000;
const PATIENTLY = { timeout: 30_000, interval: 50 };
const REFUSED = /not authorized/i;

/** A link by what the folder of a box holds now, whatever comes into it later. */
function linkOf({ id, folder }: TestBox): MqttUplink {
  const { mqtt, authorities, certificate } = folder.read();
  const key = folder.key.open().export({ type: 'pkcs8', format: 'pem' });
  const uplink = new MqttUplink({
    device: id,
    url: () => new URL(mqtt ?? ''),
    credentials: () => ({ ca: authorities.join(''), cert: certificate, key: Buffer.from(key) }),
    random: () => 0,
    logger: testLogger('edge'),
  });
  onTestFinished(() => uplink.stop());
  uplink.start();
  return uplink;
}

async function expectConnected(uplink: MqttUplink): Promise<void> {
  await expect.poll(() => uplink.problem, PATIENTLY).toBeNull();
}

async function expectRefused(uplink: MqttUplink): Promise<void> {
  await expect.poll(() => uplink.problem, PATIENTLY).toMatch(REFUSED);
}

test('who has the earlier certificate of a box that enrolled anew is cut off and stays out; the box itself is let in', async () => {
  const fleet = await TestFleet.start({ broker: true });
  const [box, other] = [await fleet.enrolled(), await fleet.enrolled()];
  const [stolen, untouched] = [linkOf(box), linkOf(other)];
  await Promise.all([expectConnected(stolen), expectConnected(untouched)]);
  box.folder.clear();
  await box.enrol(fleet.url, await fleet.token());
  await expectRefused(stolen);
  await expectConnected(linkOf(box));
  expect(untouched.problem).toBeNull();

  // Let go, it is out as well.
  const link = linkOf(other);
  await expectConnected(link);
  expect(await fleet.ask('POST', `/devices/${other.id}/release`)).toMatchObject({ status: 200 });
  await expectRefused(link);
}, 60_000);

// By the time of TLS, which no test moves, the certificate holds throughout.
test('a certificate that has ended opens nothing, although it still buys a new one', async () => {
  let ahead = 0;
  const fleet = await TestFleet.start({ broker: true, now: () => Date.now() + ahead });
  const box = await fleet.enrolled();
  const link = linkOf(box);
  await expectConnected(link);
  ahead = 15 * DAY_MS;
  await expectRefused(link);
  await renew(box.folder);
  ahead = 0;
  await expectConnected(link);
}, 60_000);

test('a new authority: the broker lets in whom either has certified, and is believed by both', async () => {
  const fleet = await TestFleet.start({ broker: true });
  const early = await fleet.enrolled();
  expect(await fleet.asOperator('POST', '/v1/authorities')).toMatchObject({ status: 201 });
  const [late, token] = [await TestBox.make(), await fleet.token()];
  // The servers show a certificate of the new authority when they next look.
  await expect.poll(() => late.enrol(fleet.url, token), { timeout: 30_000, interval: 500 }).toBeDefined();
  await expectConnected(linkOf(late));
  await expectConnected(linkOf(early));
}, 60_000);

test('the control plane says how its broker is, and counts its boxes', async () => {
  const fleet = await TestFleet.start({ broker: true });
  const { body } = await fleet.cloud.ask(await fleet.cloud.localToken(LOCAL_OPERATOR, ''), 'GET', '/readyz');
  expect(body.parts).toContainEqual({ part: 'broker', ready: true, reason: null, what: null });
  await expectConnected(linkOf(await fleet.enrolled()));
  const metrics = await (await fetch(`${fleet.cloud.url}/metrics`)).text();
  expect(metrics).toContain('securegate_cloud_connected_boxes 1\n');
});
