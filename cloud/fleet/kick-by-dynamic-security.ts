import type { MqttLink } from '../../shared/mqtt/mqtt-link.ts';

const TOPIC = '$CONTROL/dynamic-security/v1';

/**
 * Ends a device's connection at a mosquitto with its dynamic-security plugin, whose users are device ids. Disabled, the owner of a
 * certificate would come back with all rights, for the plugin is not asked who may connect by certificate; deleted, he has none.
 */
export async function kickByDynamicSecurity(device: string, publish: MqttLink['publish']): Promise<void> {
  await publish(TOPIC, Buffer.from(JSON.stringify({ commands: [{ command: 'deleteClient', username: device }] })));
}
