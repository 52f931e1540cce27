import type { Api, RouteContext } from '../api.ts';
import { addApiKeyRoutes } from './api-keys.ts';
import { addBackupRoute } from './backup.ts';
import { addCameraRoutes } from './cameras.ts';
import { addCustomerRoutes } from './customers.ts';
import { addErasureRoutes } from './erasures.ts';
import { addFaceRoutes } from './faces.ts';
import { addHealthRoutes } from './health.ts';
import { addLeaseRoutes } from './leases.ts';
import { addLiveRoute } from './live.ts';
import { addLoginLinkRoute } from './login-links.ts';
import { addSearchRoutes } from './search.ts';
import { addSessionRoutes } from './session.ts';
import { addSightingRoutes } from './sightings.ts';
import { addSystemRoutes } from './system.ts';
import { addTenantRoutes } from './tenants.ts';
import { addUsageRoute } from './usage.ts';
import { addVenueRecordRoutes } from './venue-records.ts';
import { addWebhookRoutes } from './webhooks.ts';

/** Every route of the box. */
export function addRoutes(api: Api, context: RouteContext): void {
  addHealthRoutes(api, context);
  addSessionRoutes(api, context);
  addLoginLinkRoute(api, context);
  addSystemRoutes(api, context);
  addTenantRoutes(api, context);
  addLeaseRoutes(api, context);
  addBackupRoute(api, context);
  addApiKeyRoutes(api, context);
  addCustomerRoutes(api, context);
  addErasureRoutes(api, context);
  addFaceRoutes(api, context);
  addSearchRoutes(api, context);
  addSightingRoutes(api, context);
  addVenueRecordRoutes(api, context);
  addWebhookRoutes(api, context);
  addCameraRoutes(api, context);
  addLiveRoute(api, context);
  addUsageRoute(api, context);
}
