import type { z } from 'zod';
import type { problemSchema } from '../../../shared/http/common.ts';
import type {
  apiKeySchema,
  apiSightingSchema,
  cameraTestSchema,
  cameraViewSchema,
  createdApiKeySchema,
  heldPictureSchema,
  newApiKeySchema,
  newTenantSchema,
  readinessSchema,
  sessionSchema,
  systemSchema,
  tenantPatchSchema,
  tenantSchema,
} from '../../api/schemas/box.ts';
import type { erasureSchema } from '../../api/schemas/erasures.ts';
import type {
  consentSchema,
  customerPatchSchema,
  customerSchema,
  faceSchema,
  newCustomerSchema,
  newFaceResultSchema,
  qualitySchema,
  searchResultSchema,
  verifyResultSchema,
} from '../../api/schemas/people.ts';
import type { cameraPatchSchema, VENUE_RECORDS } from '../../api/schemas/venue.ts';
import type { viewSchemas } from '../../api/schemas/venue-views.ts';

export type Problem = z.infer<typeof problemSchema>;
export type Session = z.infer<typeof sessionSchema>;
/** What `/readyz` answers, whether it says yes or no. */
export type Readiness = z.infer<typeof readinessSchema>;
export type System = z.infer<typeof systemSchema>;
export type Tenant = z.infer<typeof tenantSchema>;
export type NewTenant = z.infer<typeof newTenantSchema>;
export type TenantPatch = z.infer<typeof tenantPatchSchema>;
export type Erasure = z.infer<typeof erasureSchema>;
export type ApiKey = z.infer<typeof apiKeySchema>;
export type NewApiKey = z.infer<typeof newApiKeySchema>;
export type CreatedApiKey = z.infer<typeof createdApiKeySchema>;
export type Room = z.infer<typeof viewSchemas.rooms>;
export type RoomSettings = z.input<typeof VENUE_RECORDS.rooms>;
export type Camera = z.infer<typeof cameraViewSchema>;
export type CameraSettings = z.input<typeof VENUE_RECORDS.cameras>;
export type CameraPatch = z.infer<typeof cameraPatchSchema>;
export type CameraTest = z.infer<typeof cameraTestSchema>;
export type Sighting = z.infer<typeof apiSightingSchema>;
export type HeldPicture = z.infer<typeof heldPictureSchema>;
export type Customer = z.infer<typeof customerSchema>;
export type CustomerPatch = z.infer<typeof customerPatchSchema>;
export type NewCustomer = z.infer<typeof newCustomerSchema>;
export type Consent = z.infer<typeof consentSchema>;
export type Face = z.infer<typeof faceSchema>;
export type NewFace = z.infer<typeof newFaceResultSchema>;
export type Quality = z.infer<typeof qualitySchema>;
export type SearchResult = z.infer<typeof searchResultSchema>;
export type VerifyResult = z.infer<typeof verifyResultSchema>;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Cursor of the following page; null at the end. */
  readonly next: string | null;
}
