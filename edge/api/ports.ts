import type { Removed } from '../../shared/fleet/ack.ts';
import type { Venue } from '../../shared/http/tenant-context.ts';
import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import type { StickAnswer, StickRequest } from '../../shared/lease/stick.ts';
import type { EdgeEvent, Sighting, Stats } from '../../shared/messages/events.ts';
import type { KeyOrigin, TenantPolicy } from '../appliance/tenant-policies.ts';
import type { HistogramValues } from '../runtime/histogram.ts';
import type { LeaseView, VaultClient } from '../vault/client.ts';
import type { LiveSize } from './schemas/streams.ts';

/** What the API needs of the running box. The daemon implements it; tests may implement it over real parts. */
export interface BoxPort {
  readonly box: string;
  readonly version: string;
  stats(): Stats;
  /** How long pictures of cameras wait for each stage of the pipeline, since the start; `frame` is all of it from a picture's arrival. */
  stageTimes(): Readonly<Record<'detect' | 'analyse' | 'embed' | 'search' | 'frame' | 'candidates', HistogramValues>>;
  models(): readonly { readonly id: string; readonly task: string; readonly licence: string; readonly commercialUse: boolean }[];
  /** Parts that `/readyz` reports, each with its reason when it is not ready. */
  health(): readonly { readonly part: string; readonly ready: boolean; readonly reason: string | null }[];
  readonly tenants: TenantsPort;
  /** Removes a tenant from the box for ever. @throws {SecureGateError} `tenant_not_found`, `lease_cache_failed`, `tpm_unavailable`, `storage_failed` */
  wipe(tenant: string): Promise<Removed>;
  readonly leases: LeasesPort;
  readonly cameras: CamerasPort;
  readonly faces: FacesPort;
  readonly webhooks: WebhooksPort;
  /** Calls the listener for each event of this tenant from now on. The listener must not block. @returns how to end it */
  onEvent(tenant: string, listener: (event: EdgeEvent) => void): () => void;
  /** Crop of a sighting's best shot (JPEG), as long as the tenant's `unmatchedTtlMs` lets it live in memory. */
  sightingPicture(tenant: string, sightingId: string): Promise<Buffer | undefined>;
  /** Whether `sightingPicture` would give one now. */
  hasSightingPicture(tenant: string, sightingId: string): boolean;
  /**
   * Lets the picture outlive `unmatchedTtlMs` while somebody enrols the person on it: for seconds unless it is asked again, and
   * for minutes at most. @returns undefined where there is none (any more) @throws {SecureGateError} `overloaded`
   */
  holdSightingPicture(tenant: string, sightingId: string): { readonly forMs: number; readonly atMostMs: number } | undefined;
  /** Sightings of known people that have begun and are not over. */
  inView(tenant: string): readonly Sighting[];
}

export interface TenantView extends TenantPolicy {
  readonly state: VaultClient['state'];
  readonly reason: string | null;
  readonly fixed: boolean;
}

/** What is not named stays as it is, or has its default. */
export interface TenantSettings {
  readonly matchThreshold?: number | null | undefined;
  readonly unmatchedTtlMs?: number | undefined;
  readonly sightingsDays?: number | undefined;
}

export interface TenantsPort {
  list(): readonly TenantView[];
  /** Whose host name it is. */
  byHostname(hostname: string): Venue | undefined;
  /** @throws {SecureGateError} `tenant_not_found` */
  get(tenant: string): TenantView;
  /**
   * Makes the tenant's vault and opens it; one whose key comes under a lease (`keys`) is opened by its first one.
   * @throws {SecureGateError} `conflict`, those of the vault's start
   */
  add(tenant: { id: string; org: string; keys?: KeyOrigin } & TenantSettings): Promise<TenantView>;
  /** @throws {SecureGateError} `tenant_not_found`, `fixed_by_configuration` */
  change(tenant: string, settings: TenantSettings): Promise<TenantView>;
  /**
   * Tries at once to open a vault that failed and that somebody has mended; the box itself tries it now and then.
   * @throws {SecureGateError} `tenant_not_found`, those of the vault's start
   */
  open(tenant: string): Promise<TenantView>;
  /** The vault of one tenant. @throws {SecureGateError} `tenant_not_found` */
  vault(tenant: string): VaultClient;
}

/** Times in ISO 8601; null where the tenant is not open. */
export interface LeaseStatus {
  readonly tenant: string;
  readonly state: TenantView['state'];
  readonly reason: string | null;
  readonly enforcement: LeaseView['enforcement'] | null;
  readonly epoch: number | null;
  /** The one in which the KMS wants the tenant to be. */
  readonly newest: number | null;
  readonly renewedAt: string | null;
  readonly endsAt: string | null;
  /** Whether the box asks a KMS itself, or leases come on a stick alone. */
  readonly comes: 'kms' | 'stick';
  /** Why the last try to renew it failed. */
  readonly failure: string | null;
}

/** Every operation on one tenant can fail with `tenant_not_found` and `lease_not_used` (its key is a file). */
export interface LeasesPort {
  /** Those of the tenants whose keys come from a KMS. */
  list(): Promise<readonly LeaseStatus[]>;
  get(tenant: string): Promise<LeaseStatus>;
  /** What travels on a stick. @throws {SecureGateError} `vault_unavailable`, `device_keys_unusable`, `storage_failed` */
  request(tenant: string): Promise<StickRequest>;
  /**
   * Takes what the KMS made of it, and moves the tenant where a lease of the next epoch is among it.
   * @throws {SecureGateError} `lease_rejected`, and those of the vault's start where it was closed
   */
  accept(tenant: string, answer: StickAnswer): Promise<LeaseStatus>;
  /**
   * Its key for another HSM, as the recovery keys of the org have signed it (hand-over.ts).
   * @throws {SecureGateError} `vault_unavailable`, `admins_missing`, `recovery_rejected`, `lease_missing`, `lease_ended`, `device_keys_unusable`
   */
  handOver(tenant: string, recovery: SignedRecovery): Promise<string>;
}

export interface CameraView {
  readonly id: string;
  readonly slug: string;
  readonly title: string | null;
  readonly address: string;
  readonly fps: number;
  readonly tiles: { readonly columns: number; readonly rows: number; readonly overlap: number } | null;
  readonly roomId: string | null;
  readonly fixed: boolean;
  readonly state: Stats['cameras'][number]['state'];
  readonly reason: string | null;
  readonly fpsGiven: number;
  readonly version: number;
}

export interface CameraSettings {
  readonly slug: string;
  readonly title?: string | undefined;
  readonly url: string;
  readonly fps: number;
  readonly tiles?: CameraView['tiles'] | undefined;
  readonly roomId?: CameraView['roomId'] | undefined;
}

/** What is not named stays as it is. */
export type CameraChange = { readonly [Field in keyof CameraSettings]?: CameraSettings[Field] | undefined };

/** One analysed picture with what was seen on it, for the live view. */
export interface LiveFrame {
  readonly mediaMs: number;
  readonly width: number;
  readonly height: number;
  readonly jpeg: Buffer;
  readonly tracks: readonly {
    readonly track: number;
    readonly box: Sighting['box'];
    readonly outcome: Sighting['outcome'];
    readonly customerId: string | null;
  }[];
}

export interface CamerasPort {
  list(tenant: string): readonly CameraView[];
  /** @throws {SecureGateError} `record_not_found` */
  get(tenant: string, id: string): CameraView;
  /**
   * Stores the camera in the tenant's vault and starts it.
   * @param id of its record; a random one unless said, here and for webhooks
   * @throws {SecureGateError} `conflict` (slug taken)
   */
  add(tenant: string, settings: CameraSettings, id?: string): Promise<CameraView>;
  /** @throws {SecureGateError} `record_not_found`, `fixed_by_configuration`, `version_conflict` */
  change(tenant: string, id: string, settings: CameraChange, version?: number): Promise<CameraView>;
  remove(tenant: string, id: string, version?: number): Promise<void>;
  /** Opens the address and takes one picture. @throws {SecureGateError} camera_* */
  test(url: string): Promise<{ width: number; height: number; openedMs: number; jpeg: Buffer }>;
  /**
   * Pictures are encoded only while somebody watches, once for all who watch in this size; a listener that is behind simply
   * misses some. @returns how to end it
   */
  watch(tenant: string, id: string, size: LiveSize, listener: (frame: LiveFrame) => void): () => void;
}

export interface DescribedPicture {
  readonly embedding: Float32Array;
  readonly quality: { sizePx: number; sharpness: number; yaw: number; pitch: number; roll: number; cutOff: number; overall: number };
  readonly model: string;
  /** Aligned face, JPEG. */
  readonly picture: Buffer;
}

export interface FacesPort {
  readonly model: string;
  /**
   * @param purpose an enrolment is stricter than a search
   * @throws {SecureGateError} those of `describeStill`
   */
  describe(image: Buffer, purpose: 'search' | 'enrol'): Promise<DescribedPicture>;
  /** The best shot of a sighting that is still in memory. @throws {SecureGateError} `sighting_gone` */
  ofSighting(tenant: string, sightingId: string): Promise<DescribedPicture>;
  /** The tenant's own threshold, or the embedder's. */
  threshold(tenant: string): number;
}

export interface WebhookView {
  readonly id: string;
  readonly url: string;
  readonly active: boolean;
  readonly version: number;
}

/** A delivery that was given up. It names the sighting and holds nothing of it. */
export interface DeadLetter {
  readonly id: string;
  readonly sightingId: string;
  readonly phase: Sighting['phase'];
  readonly givenUpAt: string;
  readonly attempts: number;
  /** What the last attempt met with: an HTTP status, an error code of the system, or one of ours. */
  readonly reason: string;
}

/** Webhooks are stored as records of kind `webhooks` by the box itself, since their signing secrets never leave it again. */
export interface WebhooksPort {
  list(tenant: string): readonly WebhookView[];
  /** @throws {SecureGateError} `tenant_not_found`, `record_not_found` */
  get(tenant: string, id: string): WebhookView;
  /**
   * @returns the webhook with its signing secret, which is shown this once
   * @throws {SecureGateError} `webhook_target_refused`, `conflict` (too many), `vault_unavailable`
   */
  add(tenant: string, settings: { url: string; active: boolean }, id?: string): Promise<{ webhook: WebhookView; secret: string }>;
  /** @throws {SecureGateError} `record_not_found`, `version_conflict`, `webhook_target_refused` */
  change(tenant: string, id: string, settings: { url: string; active: boolean }, version?: number): Promise<WebhookView>;
  /** @throws {SecureGateError} `record_not_found`, `version_conflict` */
  remove(tenant: string, id: string, version?: number): Promise<void>;
  /** Newest first, at most 100. @throws {SecureGateError} `record_not_found` */
  deadLetters(tenant: string, id: string): readonly DeadLetter[];
  /** Puts the dead letters into the queue again, as far as their sightings are still there. @returns how many */
  redeliver(tenant: string, id: string): Promise<number>;
}
