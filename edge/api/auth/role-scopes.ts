import { SCOPES, type Scope } from '../schemas/box.ts';

/**
 * What a role of the control plane means on a box. A role that is not here means nothing: the platform's operators open no
 * tenant, and who decides for an org sees none of its guests.
 */
export const ROLE_SCOPES: ReadonlyMap<string, readonly Scope[]> = new Map<string, readonly Scope[]>([
  ['org:admin', ['venue:read', 'venue:write', 'cameras:read', 'usage:read']],
  ['tenant:admin', SCOPES],
  ['operator', ['people:read', 'people:write', 'search', 'sightings:read', 'venue:read', 'cameras:read', 'live', 'usage:read']],
  ['reviewer', ['people:read', 'sightings:read', 'venue:read', 'cameras:read', 'live']],
  ['technician', ['venue:read', 'cameras:read', 'cameras:write', 'usage:read']],
  ['auditor', ['venue:read', 'usage:read']],
  ['dpo', ['people:read', 'people:write', 'usage:read']],
]);
