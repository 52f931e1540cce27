import { DOWN_CHANNELS, downTopic, UP_CHANNELS, upTopic } from '../../../shared/fleet/topics.ts';

/** What a box may say and hear, for the dynamic-security plugin of a broker. */
export function roleOf(device: string): { readonly rolename: string; readonly acls: readonly object[] } {
  const says = UP_CHANNELS.map((channel) => ({ acltype: 'publishClientSend', topic: upTopic(device, channel), allow: true }));
  const hears = DOWN_CHANNELS.map((channel) => ({ acltype: 'subscribeLiteral', topic: downTopic(device, channel), allow: true }));
  return { rolename: device, acls: [...says, ...hears] };
}
