import { createPublicKey, sign } from 'node:crypto';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { APPLIANCE_SCHEMA } from '../../edge/appliance/appliance-schema.ts';
import { StoredCommands } from '../../edge/appliance/stored-commands.ts';
import type { Executors } from '../../edge/link/commands/executors.ts';
import { EitherUplink } from '../../edge/link/either-uplink.ts';
import { HttpsUplink } from '../../edge/link/https-uplink.ts';
import { Link } from '../../edge/link/link.ts';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { TestBox } from './fleet.ts';
import { testLogger } from './secrecy/test-logger.ts';

export interface StartLinkOptions {
  readonly executors: Executors;
  /** Where it finds the broker, and the control plane, if not where it was told. */
  readonly mqtt?: string;
  readonly cloud?: string;
  readonly patienceMs?: number;
}

/** The link of an enrolled box, with its real ways to the control plane, and a journal in memory. It asks over HTTPS often. */
export async function startLink(
  box: TestBox,
  { executors, mqtt: broker, cloud: server, patienceMs = 600_000 }: StartLinkOptions,
): Promise<EitherUplink> {
  const { id: device, folder } = box;
  const enrolment = folder.read();
  const { authorities, certificate, commandKeys } = enrolment;
  const key = folder.key.open();
  const publicKey = publicKeySchema.parse(createPublicKey(key).export({ format: 'jwk' }));
  const [random, logger] = [Math.random, testLogger('edge')];
  const pem = key.export({ type: 'pkcs8', format: 'pem' });
  const mqtt = new MqttUplink({
    ...{ device, random, logger },
    url: () => new URL(broker ?? enrolment.mqtt ?? ''),
    credentials: () => ({ ca: authorities.join(''), cert: certificate, key: Buffer.from(pem) }),
  });
  const https = new HttpsUplink({
    ...{ random, logger, askEveryMs: 500 },
    server: () => ({ cloud: server ?? enrolment.cloud, authorities, credentials: { key, certificate } }),
  });
  const uplink = new EitherUplink({ mqtt, https, patienceMs, random, logger });
  const disk = new Database(':memory:');
  for (const step of APPLIANCE_SCHEMA) disk.exec(step);
  const link = new Link({
    ...{ device, uplink, executors, logger, parts: [], key: publicKey },
    commandKeys: () => commandKeys,
    journal: new StoredCommands(disk),
    sign: (type, claims) => signJwt(type, claims, publicKey, async (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })),
    keys: async () => [],
    now: Date.now,
    waits: () => new BackOff(200, 2000),
  });
  await link.start();
  uplink.start();
  onTestFinished(async () => {
    await link.stop();
    await uplink.stop();
  });
  return uplink;
}
