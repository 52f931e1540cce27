import { onTestFinished } from 'vitest';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import type { TestBox } from './fleet.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** A link by what the folder of a box holds now, whatever comes into it later; not started. It ends with the test. */
export function linkOf({ id, folder }: TestBox): MqttUplink {
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
  return uplink;
}
