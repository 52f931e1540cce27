import type { Feature } from '../tenants/org.ts';
import type { Reach, Role } from './roles.ts';

/** Who may do something, and about what it is: nothing more than what the path of its route names. */
export interface Operation {
  readonly title: string;
  readonly reach: Reach;
  readonly roles: readonly Role[];
  readonly feature?: Feature;
}

/**
 * Everything that can be asked of the control plane: the one table that route guards, their documentation and their tests are made
 * from. No route exists without a row here.
 */
export const OPERATIONS = {
  'orgs.create': { title: 'Add an org', reach: 'platform', roles: ['platform:operator'] },
  'orgs.list': { title: 'List orgs', reach: 'platform', roles: ['platform:operator', 'auditor'] },
  'orgs.read': { title: 'Read an org', reach: 'org', roles: ['platform:operator', 'org:admin', 'auditor', 'dpo'] },
  'orgs.change': { title: 'Change an org: its name, branding and key policy', reach: 'org', roles: ['org:admin'] },
  'orgs.change-plan': { title: "Change an org's plan and features", reach: 'platform', roles: ['platform:operator'] },
  'orgs.name-first-admin': { title: 'Name the first admin of an org', reach: 'platform', roles: ['platform:operator'] },
  'tenants.create': { title: 'Add a tenant; its key is made in the HSM', reach: 'org', roles: ['org:admin'] },
  'tenants.list': {
    title: 'List the tenants of an org',
    reach: 'org',
    roles: ['platform:operator', 'org:admin', 'auditor', 'dpo', 'technician'],
  },
  'tenants.read': {
    title: 'Read a tenant',
    reach: 'tenant',
    roles: ['platform:operator', 'org:admin', 'tenant:admin', 'operator', 'reviewer', 'technician', 'auditor', 'dpo'],
  },
  'tenants.change': { title: 'Change a tenant', reach: 'tenant', roles: ['org:admin', 'tenant:admin'] },
  'keys.read': {
    title: 'Read the state of the keys of a tenant: epochs, and how far its boxes have moved',
    reach: 'tenant',
    roles: ['org:admin', 'tenant:admin', 'technician', 'auditor', 'dpo'],
  },
  'epoch-moves.create': { title: 'Move a tenant to its next epoch, with a new key', reach: 'tenant', roles: ['org:admin', 'dpo'] },
  'users.create': { title: 'Add a user of an org', reach: 'org', roles: ['org:admin'] },
  'users.list': { title: 'List the users of an org', reach: 'org', roles: ['org:admin', 'auditor'] },
  'users.read': { title: 'Read a user of an org', reach: 'org', roles: ['org:admin', 'auditor'] },
  'users.change': { title: 'Change a user of an org, or close the account', reach: 'org', roles: ['org:admin'] },
  'service-accounts.create': { title: 'Add a service account', reach: 'org', roles: ['org:admin'], feature: 'service-accounts' },
  'service-accounts.list': { title: 'List service accounts', reach: 'org', roles: ['org:admin', 'auditor'], feature: 'service-accounts' },
  'roles.give': { title: 'Give a role in an org or in one of its tenants', reach: 'org', roles: ['org:admin'] },
  'roles.take': { title: 'Take a role away', reach: 'org', roles: ['org:admin'] },
  'admin-keys.read': { title: 'Read the admin keys that the KMS has pinned', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'admin-keys.pin': { title: 'Pin the admin keys of an org, or change them', reach: 'org', roles: ['org:admin'] },
  'assignments.create': { title: 'Let a box have the key of a tenant', reach: 'org', roles: ['org:admin'] },
  'devices.list': { title: 'List the boxes of an org', reach: 'org', roles: ['platform:operator', 'org:admin', 'technician', 'auditor'] },
  'devices.read': { title: 'Read a box', reach: 'org', roles: ['platform:operator', 'org:admin', 'technician', 'auditor'] },
  'devices.read-state': {
    title: 'Read what a box should have, and what it says that it has',
    reach: 'org',
    roles: ['org:admin', 'technician', 'auditor'],
  },
  'devices.change': {
    title: 'Change a box: its name, and by which models it should work',
    reach: 'org',
    roles: ['org:admin', 'technician'],
  },
  'devices.deny': { title: 'Take everything from a box, for ever', reach: 'org', roles: ['org:admin'] },
  'devices.release': { title: 'Let a box leave the org; it may enrol anew', reach: 'org', roles: ['org:admin'] },
  'enrolment-tokens.create': { title: 'Make a token by which a box enrols', reach: 'org', roles: ['org:admin', 'technician'] },
  'enrolment-tokens.list': { title: 'List enrolment tokens', reach: 'org', roles: ['org:admin', 'technician', 'auditor'] },
  'enrolment-tokens.revoke': { title: 'Take back an enrolment token', reach: 'org', roles: ['org:admin', 'technician'] },
  'authorities.list': { title: 'List the authorities of boxes that count', reach: 'platform', roles: ['platform:operator', 'auditor'] },
  'authorities.create': { title: 'Exchange the authority of boxes', reach: 'platform', roles: ['platform:operator'] },
  'authorities.replace': { title: 'Replace the authority of boxes whose key is lost', reach: 'platform', roles: ['platform:operator'] },
  'recoveries.read': { title: 'Read which keys of an org its HSM lacks', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'recoveries.create': {
    title: 'Draft what the recovery keys of an org sign, so that boxes hand over what is lost',
    reach: 'org',
    roles: ['org:admin'],
  },
  'recoveries.list': { title: 'List what the recovery keys of an org have signed', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'recoveries.send': {
    title: 'Send to the boxes of an org what its recovery keys have signed',
    reach: 'org',
    roles: ['org:admin'],
  },
  'recoveries.take-over': { title: 'Have the HSM take over a key from a box', reach: 'org', roles: ['org:admin', 'technician'] },
  'recoveries.end': { title: 'Have nothing taken over any more', reach: 'org', roles: ['org:admin'] },
  'offline-leases.create': {
    title: 'Have the request of a box without a network answered',
    reach: 'org',
    roles: ['org:admin', 'technician'],
  },
  'cameras.create': { title: 'Give a box a camera of a tenant', reach: 'tenant', roles: ['org:admin', 'tenant:admin', 'technician'] },
  'cameras.list': {
    title: 'List the cameras that boxes should have for a tenant',
    reach: 'tenant',
    roles: ['org:admin', 'tenant:admin', 'technician', 'auditor'],
  },
  'cameras.read': { title: 'Read a camera', reach: 'tenant', roles: ['org:admin', 'tenant:admin', 'technician', 'auditor'] },
  'cameras.change': { title: 'Change a camera', reach: 'tenant', roles: ['org:admin', 'tenant:admin', 'technician'] },
  'cameras.remove': { title: 'Take a camera from its box', reach: 'tenant', roles: ['org:admin', 'tenant:admin', 'technician'] },
  'commands.create': { title: 'Tell a box to do something', reach: 'org', roles: ['org:admin', 'technician'] },
  'commands.list': { title: 'List what boxes were told to do', reach: 'org', roles: ['org:admin', 'technician', 'auditor', 'dpo'] },
  'commands.read': { title: 'Read a command and what came of it', reach: 'org', roles: ['org:admin', 'technician', 'auditor', 'dpo'] },
  'commands.cancel': { title: 'Cancel a command that no box has begun', reach: 'org', roles: ['org:admin', 'technician'] },
  'receipts.list': { title: 'List what boxes have signed of commands', reach: 'org', roles: ['org:admin', 'technician', 'auditor', 'dpo'] },
  'receipts.read': { title: 'Read what a box has signed of a command', reach: 'org', roles: ['org:admin', 'technician', 'auditor', 'dpo'] },
  'sighting-counts.read': {
    title: 'Read how often somebody was seen in a tenant, by day or hour and camera',
    reach: 'tenant',
    roles: ['org:admin', 'tenant:admin', 'operator', 'reviewer', 'auditor', 'dpo'],
  },
  'usage.read': {
    title: 'Read what a tenant used',
    reach: 'tenant',
    roles: ['platform:operator', 'org:admin', 'tenant:admin', 'auditor'],
  },
  'telemetry.read': {
    title: 'Read how a box is',
    reach: 'org',
    roles: ['platform:operator', 'org:admin', 'technician', 'auditor'],
  },
  'shreds.create': {
    title: 'Ask for the shred of a tenant; nothing happens before it is approved',
    reach: 'org',
    roles: ['org:admin', 'dpo'],
  },
  'shreds.list': { title: 'List the shreds of an org', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'shreds.read': { title: 'Read a shred, and how far each box is', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'shreds.read-receipt': { title: 'Get the signed receipt of a shred', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'shreds.approve': {
    title: 'Agree to a shred: with the last approval that is needed it begins',
    reach: 'org',
    roles: ['org:admin', 'dpo'],
  },
  'shreds.cancel': { title: 'Cancel a shred whose destruction has not begun', reach: 'org', roles: ['org:admin', 'dpo'] },
  'erasures.create': {
    title: 'Have customers erased on every box of their tenant',
    reach: 'tenant',
    roles: ['org:admin', 'tenant:admin', 'dpo'],
  },
  'erasures.list': { title: 'List the erasures of an org', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'erasures.read-receipt': { title: 'Get the signed receipt of an erasure', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'erasures.read': { title: 'Read an erasure, and what each box said of it', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'audit.read': { title: 'Read what was done in an org', reach: 'org', roles: ['org:admin', 'auditor', 'dpo'] },
  'audit.list-witnesses': {
    title: 'List the boxes that watch the log of what was done',
    reach: 'org',
    roles: ['org:admin', 'auditor', 'dpo'],
  },
  'audit.read-copy': {
    title: 'Read how far the log is copied to where nobody can delete it',
    reach: 'platform',
    roles: ['platform:operator', 'auditor'],
  },
  'audit.declare-fork': {
    title: 'Declare that the log was begun anew, after a restore from a backup',
    reach: 'platform',
    roles: ['platform:operator'],
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
