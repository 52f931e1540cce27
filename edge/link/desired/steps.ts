import type { DesiredPolicy } from '../../../shared/fleet/desired.ts';
import type { CameraSettings } from './box-state.ts';

/** What can be done to bring the box to what is desired. Each can be done twice. */
interface Steps {
  /** A tenant of the control plane, under a lease. */
  'add-tenant': OfTenant & { readonly org: string; readonly policy: DesiredPolicy };
  /** One that was closed is asked for a lease again. */
  'open-tenant': OfTenant;
  'change-policy': OfTenant & { readonly policy: DesiredPolicy };
  /** Its lease is dropped; its files stay. */
  'close-tenant': OfTenant;
  'add-camera': OfCamera & { readonly settings: CameraSettings };
  'change-camera': OfCamera & { readonly settings: CameraSettings };
  'remove-camera': OfCamera;
  /** The box takes the choice down, and follows it beside its other work. */
  'choose-models': { readonly models: string | null };
}

interface OfTenant {
  readonly tenant: string;
}
interface OfCamera extends OfTenant {
  readonly camera: string;
}

export type StepKind = keyof Steps;
type StepOf<Kind extends StepKind> = { readonly kind: Kind } & Steps[Kind];
export type Step = { [Kind in StepKind]: StepOf<Kind> }[StepKind];

/** What the box does for each kind of step. What it throws is told as the reason. */
export type StepExecutors = { readonly [Kind in StepKind]: (step: StepOf<Kind>) => Promise<void> };

export async function executeStep<Kind extends StepKind>(executors: StepExecutors, step: StepOf<Kind>): Promise<void> {
  await executors[step.kind as Kind](step);
}

/** What a step is about, as its failure is told. */
export function subjectOf(step: Step): string {
  if (!('tenant' in step)) return MODELS_SUBJECT;
  return 'camera' in step ? cameraSubject(step.tenant, step.camera) : step.tenant;
}

/** No tenant has this name. */
export const MODELS_SUBJECT = '/models';

export function cameraSubject(tenant: string, camera: string): string {
  return `${tenant}/${camera}`;
}
