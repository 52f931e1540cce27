import { expect } from 'vitest';
import type { ActualCamera, ActualTenant, CameraSettings } from '../../edge/link/desired/box-state.ts';
import type { StepExecutors } from '../../edge/link/desired/steps.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** A box that does what it is told in memory, with the refusals of the real one. A tenant that is asked for opens at once. */
export class ModelBox {
  tenants: ActualTenant[];
  shredded: string[] = [];

  constructor(tenants: readonly ActualTenant[]) {
    this.tenants = structuredClone([...tenants]);
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
