import type { Scope } from '../../api/schemas/box.ts';

/** What each scope lets a program do. */
export const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  'people:read': 'See people, their consent and their pictures',
  'people:write': 'Add, change and remove people and pictures',
  search: 'Search and compare by picture',
  'sightings:read': 'See who was seen where',
  'venue:read': 'See events, rooms and lists',
  'venue:write': 'Change events, rooms and lists',
  'cameras:read': 'See cameras and their state',
  'cameras:write': 'Add, change and remove cameras',
  live: 'Watch live pictures',
  webhooks: 'See and change where sightings are sent',
  'usage:read': 'See usage figures',
};

export const SCOPES = Object.keys(SCOPE_WORDS) as readonly Scope[];
