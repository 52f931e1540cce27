import { expect, test } from 'vitest';
import { DOWN_CHANNELS, downTopic, parseTopic, UP_CHANNELS, upTopic } from '../../../../shared/fleet/topics.ts';
import { newId } from '../../../../shared/ids/ids.ts';

test('topics are read as they are written', () => {
  const device = newId('box');
  for (const channel of DOWN_CHANNELS) expect(parseTopic(downTopic(device, channel))).toEqual({ device, direction: 'down', channel });
  for (const channel of UP_CHANNELS) expect(parseTopic(upTopic(device, channel))).toEqual({ device, direction: 'up', channel });
});

test('anything else is no topic of a box', () => {
  const device = newId('box');
  for (const topic of [
    `edge/v1/${device}/up/commands`,
    `edge/v1/${device}/down/acks`,
    `edge/v1/${device}/up/acks/more`,
    `edge/v2/${device}/up/acks`,
    'edge/v1/+/up/acks',
    'edge/v1/box_short/up/acks',
    `edge/v1/${device}/up/acks\n`,
    `$SYS/edge/v1/${device}/up/acks`,
    '',
  ]) {
    expect(parseTopic(topic), topic).toBeUndefined();
  }
});
