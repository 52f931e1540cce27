import type { DesiredPolicy } from '../../../shared/fleet/desired.ts';
import type { DesiredCamera } from '../../../shared/fleet/desired-camera.ts';
import type { ReportedModels } from '../../../shared/fleet/reported.ts';

/** What a camera is set to, its address with the credential in it. */
export type CameraSettings = Omit<DesiredCamera, 'id' | 'credential'>;

export interface ActualCamera {
  readonly id: string;
  /** Declared in the configuration file. */
  readonly fixed: boolean;
  readonly settings: CameraSettings;
}

/** A tenant as the box has it. */
export interface ActualTenant {
  readonly id: string;
  readonly org: string;
  readonly fixed: boolean;
  /** Its key comes under a lease. */
  readonly leased: boolean;
  /** It is closed, and nobody asks for a lease of it. */
  readonly dropped: boolean;
  /** Why it is not open. */
  readonly reason: string | null;
  readonly policy: DesiredPolicy;
  /** Undefined while it is not open: then they are not known. */
  readonly cameras: readonly ActualCamera[] | undefined;
}

/** The models of the box as they are. */
export interface ActualModels {
  /** The set that is at work. */
  readonly set: string;
  readonly files: readonly ReportedModels['files'][number][];
  /** The configuration file names the set. */
  readonly fixed: boolean;
  /** What was chosen last; null for the box's own. */
  readonly chosen: string | null;
  /** How far the box is with that. */
  readonly standing: Pick<ReportedModels, 'state' | 'reason'>;
}

/** The box, as far as the control plane can change it. */
export interface ActualState {
  readonly tenants: readonly ActualTenant[];
  readonly models: ActualModels;
}

/** A camera that is wanted, or the code of why it cannot be set up. */
export type WantedCamera = { readonly id: string } & ({ readonly settings: CameraSettings } | { readonly refused: string });

/** A tenant that is wanted. */
export interface WantedTenant {
  readonly id: string;
  readonly policy: DesiredPolicy;
  readonly cameras: readonly WantedCamera[];
}

/** What is wanted of this box, with what it knows itself of it. */
export interface WantedState {
  readonly org: string;
  readonly tenants: readonly WantedTenant[];
  readonly removedCameras: readonly { readonly tenant: string; readonly id: string }[];
  /** Null for the box's own. */
  readonly models: string | null;
}
