import { expect } from 'vitest';
import type { ActualCamera, ActualModels, ActualState, ActualTenant, CameraSettings } from '../../edge/link/desired/box-state.ts';
import type { StepExecutors } from '../../edge/link/desired/steps.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** The models of a box for which nobody has chosen any. */
export const OWN_MODELS: ActualModels = {
  set: 'embedded',
  files: [],
  fixed: false,
  chosen: null,
  standing: { state: 'applied', reason: null },
};

/** A box that does what it is told in memory, with the refusals of the real one. A tenant that is asked for opens at once. */
export class ModelBox {
  tenants: ActualTenant[];
  models: ActualModels;
  shredded: string[] = [];

  constructor(tenants: readonly ActualTenant[], models = OWN_MODELS) {
    this.tenants = structuredClone([...tenants]);
    this.models = models;
  }

  get actual(): ActualState {
    return { tenants: this.tenants, models: this.models };
  }

  readonly executors: StepExecutors = {
    'add-tenant': async ({ tenant, org, policy: set }) => {
      if (this.tenants.some((one) => one.id === tenant)) throw new SecureGateError('conflict', 'taken');
      this.tenants.push({ id: tenant, org, fixed: false, leased: true, dropped: false, reason: null, policy: set, cameras: [] });
    },
    'open-tenant': async ({ tenant }) => this.#change(tenant, { dropped: false, cameras: [] }),
    'change-policy': async ({ tenant, policy: set }) => this.#change(tenant, { policy: set }),
    'close-tenant': async ({ tenant }) => this.#change(tenant, { dropped: true, cameras: undefined }),
    'add-camera': async ({ tenant, camera, settings: set }) => this.#put(tenant, camera, set),
    'change-camera': async ({ tenant, camera, settings: set }) => this.#put(tenant, camera, set),
    'remove-camera': async ({ tenant, camera }) =>
      this.#change(tenant, { cameras: this.#cameras(tenant).filter((one) => one.id !== camera) }),
    // It has every set, and loads each at once.
    'choose-models': async ({ models: chosen }) => {
      if (this.models.fixed) expect.unreachable('the configuration file says which');
      this.models = { ...this.models, chosen, set: chosen ?? OWN_MODELS.set };
    },
  };

  #put(tenant: string, camera: string, set: CameraSettings): void {
    const others = this.#cameras(tenant).filter((one) => one.id !== camera);
    if (others.some((one) => one.settings.slug === set.slug)) throw new SecureGateError('conflict', 'taken');
    this.#change(tenant, { cameras: [...others, { id: camera, fixed: false, settings: set }] });
  }

  #cameras(tenant: string): readonly ActualCamera[] {
    return this.tenants.find((one) => one.id === tenant)?.cameras ?? expect.unreachable('its cameras are not known');
  }

  #change(tenant: string, changes: Partial<ActualTenant>): void {
    this.tenants = this.tenants.map((one) => (one.id === tenant ? { ...one, ...changes } : one));
  }
}
