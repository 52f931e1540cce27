import { expect, test } from 'vitest';
import { matchesFilter } from '../../../../cloud/broker/matches-filter.ts';

// The examples of MQTT 3.1.1, 4.7.1 and 4.7.2.
test.each([
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/#', 'sport', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/monitor/Clients', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['$SYS/#', '$SYS/monitor/Clients', true],
  ['sport/tennis', 'sport/tennis/player1', false],
  ['sport/tennis/player1', 'sport/tennis', false],
])('%s covers %s: %s', (filter, topic, covers) => {
  expect(matchesFilter(filter, topic)).toBe(covers);
});
