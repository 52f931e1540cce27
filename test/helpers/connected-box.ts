import { expect, onTestFinished } from 'vitest';
import { type Appliance, openAppliance } from '../../edge/appliance/open-appliance.ts';
import { Cameras } from '../../edge/box/cameras.ts';
import { changeableBox } from '../../edge/box/changeable-box.ts';
import { CloudLink, type CloudLinkOptions } from '../../edge/box/cloud-link.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Shredder } from '../../edge/box/shredder.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { TestBox } from './fleet.ts';
import { OWN_MODELS } from './model-box.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** It looks at no picture. */
const NO_MODELS = { actual: OWN_MODELS, choose: (): never => expect.unreachable('nobody chooses models for it') };

/** Tenants, leases and link of a box as the daemon has them, with vaults in processes of their own and nothing that looks at pictures. */
export class ConnectedBox {
  readonly appliance: Appliance;
  readonly tenants: Tenants;
  readonly leases: Leases;
  readonly link: CloudLink;

  /** Its tenant `hall` is under a lease, and nothing in its configuration says of whom. */
  constructor({ id, dataDir, keyDir, folder }: TestBox, overHttps?: CloudLinkOptions['overHttps']) {
    const config = parseConfig({ dataDir, keyDir, tenants: [{ id: 'hall', org: 'acme', keys: 'lease' }] });
    const logger = testLogger('edge');
    const appliance = openAppliance(dataDir, systemClock, id);
    const nothing = async (): Promise<void> => undefined;
    this.appliance = appliance;
    this.tenants = new Tenants({
      config,
      appliance: () => appliance,
      clock: systemClock,
      logger,
      onOpen: nothing,
      onClose: nothing,
      waits: () => new BackOff(600_000, 600_000),
    });
    this.leases = new Leases({ tenants: this.tenants, carrier: undefined, random: () => 0, logger });
    const { tenants, leases } = this;
    const vault: Tenants['vault'] = (tenant) => tenants.vault(tenant);
    const buildUnit = (): never => expect.unreachable('there is no camera');
    const hasTenant: Tenants['has'] = (tenant) => tenants.has(tenant);
    const cameras = new Cameras({ config, hasTenant, vault, buildUnit, clock: systemClock, logger });
    const shredder = new Shredder({ config, appliance: () => appliance, tenants, leases, holders: [cameras], clock: systemClock, logger });
    this.link = new CloudLink({
      folder,
      journal: () => appliance.commands,
      desired: () => appliance.desired,
      box: changeableBox({ tenants, cameras, leases, tombstones: () => appliance.tombstones, models: NO_MODELS, keyDir }),
      about: { boxVersion: '0.1.0' },
      leases,
      tcti: undefined,
      tenants,
      shredder,
      telemetry: () => Promise.reject(new Error('this box has nothing to tell')),
      clock: systemClock,
      random: () => 0,
      ...(overHttps === undefined ? {} : { overHttps }),
      logger,
    });
  }

  static async start(box: TestBox, overHttps?: CloudLinkOptions['overHttps']): Promise<ConnectedBox> {
    const connected = new ConnectedBox(box, overHttps);
    onTestFinished(() => connected.stop());
    await connected.tenants.start(new AbortController().signal);
    await connected.leases.start();
    await connected.link.start();
    return connected;
  }

  async stop(): Promise<void> {
    await this.link.stop();
    await this.leases.stop();
    await this.tenants.stop();
    this.appliance.close();
  }
}
