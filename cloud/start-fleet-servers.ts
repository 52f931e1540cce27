import { randomBytes } from 'node:crypto';
import type { Logger } from '../shared/log/create-logger.ts';
import type { RunningParts } from '../shared/runtime/running-parts.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { CloudConfig } from './config/schema.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { ExternalBroker } from './external-broker.ts';
import type { Devices } from './fleet/devices/devices.ts';
import type { Admission } from './fleet/enrolment/admission.ts';
import { Enrolments } from './fleet/enrolment/enrolments.ts';
import { EstServer } from './fleet/est/est-server.ts';
import type { Authorities } from './fleet/pki/authorities.ts';
import { IdentityUpkeep, type ShownIdentity } from './fleet/pki/identity-upkeep.ts';
import { Issuer } from './fleet/pki/issuer.ts';
import { OwnIdentity } from './fleet/pki/own-identity.ts';
import type { Recoveries } from './fleet/recoveries.ts';
import type { Mailboxes } from './fleet/relay/mailboxes.ts';
import type { KmsClient } from './kms/client.ts';
import type { Store } from './store/open-store.ts';

export interface FleetServersOptions {
  readonly fleet: NonNullable<CloudConfig['fleet']>;
  readonly db: Store['db'];
  readonly kms: Pick<KmsClient, 'call'>;
  readonly authorities: Authorities;
  readonly admission: Admission;
  readonly devices: Devices;
  readonly recoveries: Recoveries;
  readonly audit: AuditLog;
  readonly broker: EmbeddedBroker | ExternalBroker | undefined;
  readonly mailboxes: Mailboxes;
  /** Of the certificates of boxes. */
  readonly lifeMs: number;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/** Starts what boxes connect to: the server where they enrol, and the broker. @returns where they enrol */
export async function startFleetServers(running: RunningParts, options: FleetServersOptions): Promise<string> {
  const { fleet, db, kms, authorities, admission, devices, recoveries, audit, broker, mailboxes, lifeMs, now, monotonic, logger } = options;
  if (broker) await running.start(broker);
  const issuer = new Issuer({ authorities, kms, lifeMs, now, random: randomBytes });
  const enrolments = new Enrolments({ db, devices, issuer, admission, audit, now });
  const mqtt = fleet.mqtt ?? (broker ? broker.urlBy(fleet.names[0] ?? '') : null);
  const server = new EstServer({
    context: { enrolments, authorities, admission, kms, recoveries, mqtt, courier: broker?.courier, mailboxes },
    listen: fleet,
    rateLimits: fleet.rateLimits,
    monotonic,
    logger,
  });
  await running.start(server);
  const asServer = new OwnIdentity({ issue: (key) => issuer.issueToServer(fleet.names, key), authorities, now });
  const identities: ShownIdentity[] = [{ identity: asServer, by: broker instanceof EmbeddedBroker ? [server, broker] : [server] }];
  if (broker instanceof ExternalBroker) {
    const asClient = new OwnIdentity({ issue: (key) => issuer.issueToControlPlane(broker.name, key), authorities, now });
    identities.push({ identity: asClient, by: [broker] });
  }
  await running.start(new IdentityUpkeep({ authorities, identities, logger }));
  return server.url;
}
