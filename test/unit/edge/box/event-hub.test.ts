import { expect, test } from 'vitest';
import { EventHub } from '../../../../edge/box/event-hub.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import type { EdgeEvent } from '../../../../shared/messages/events.ts';
import { testSighting } from '../../../helpers/test-sighting.ts';

const logger = createLogger('test', { level: 'silent' });

test('an event reaches those who listen to its tenant, and nobody else', () => {
  const hub = new EventHub(logger);
  const [hall, club]: [EdgeEvent[], EdgeEvent[]] = [[], []];
  const end = hub.listen('hall', (event) => hall.push(event));
  hub.listen('club', (event) => club.push(event));
  const sighting = testSighting({ tenant: 'hall' });
  hub.publish(sighting);
  end();
  hub.publish(testSighting({ tenant: 'hall' }));
  expect(hall).toEqual([sighting]);
  expect(club).toEqual([]);
});

test('a listener that fails is alone with it', () => {
  const hub = new EventHub(logger);
  const seen: EdgeEvent[] = [];
  hub.listen('hall', () => {
    throw new Error('broken');
  });
  hub.listen('hall', (event) => seen.push(event));
  hub.publish(testSighting());
  expect(seen).toHaveLength(1);
});
