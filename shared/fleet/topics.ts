/** What the control plane says to boxes. */
export const DOWN_CHANNELS = ['commands', 'desired', 'replies'] as const;
export type DownChannel = (typeof DOWN_CHANNELS)[number];

/** What boxes say to the control plane. */
export const UP_CHANNELS = ['hello', 'acks', 'reported', 'sightings', 'usage', 'telemetry', 'requests'] as const;
export type UpChannel = (typeof UP_CHANNELS)[number];

/** A topic, taken apart. */
export type Topic =
  | { readonly device: string; readonly direction: 'down'; readonly channel: DownChannel }
  | { readonly device: string; readonly direction: 'up'; readonly channel: UpChannel };

const FORM = /^edge\/v1\/(box_[a-z2-7]{26})\/(down|up)\/([a-z]+)$/;

export function downTopic(device: string, channel: DownChannel): string {
  return `edge/v1/${device}/down/${channel}`;
}

export function upTopic(device: string, channel: UpChannel): string {
  return `edge/v1/${device}/up/${channel}`;
}

/** @returns undefined for what is no topic of a box */
export function parseTopic(topic: string): Topic | undefined {
  const [, device = '', direction, name] = FORM.exec(topic) ?? [];
  const up = UP_CHANNELS.find((channel) => direction === 'up' && channel === name);
  if (up !== undefined) return { device, direction: 'up', channel: up };
  const down = DOWN_CHANNELS.find((channel) => direction === 'down' && channel === name);
  return down === undefined ? undefined : { device, direction: 'down', channel: down };
}
