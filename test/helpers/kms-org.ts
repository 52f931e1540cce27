import { RECOVERY_TYPE, type Recovery, type SignedRecovery } from '../../shared/lease/recovery.ts';
import { type AssignmentClaims, adminSet, signAssignment, signSet, TestDevice, type TestKms, TestSigner, testKms } from './kms.ts';

/** An org on a KMS: its admin's key is pinned, and its tenant `hall` has one epoch. */
export class TestOrg {
  readonly org = 'acme';
  readonly tenant = 'hall';
  readonly kms: TestKms;
  readonly admin = new TestSigner();
  /** Recovery keys. */
  readonly safe = [new TestSigner(), new TestSigner(), new TestSigner()];

  constructor(kms: TestKms) {
    this.kms = kms;
  }

  async start(): Promise<void> {
    const signed = await signSet(adminSet(this.org, 1, [this.admin], this.safe), [this.admin]);
    await this.kms.client.call('pinAdmins', { org: this.org, signed });
    await this.kms.client.call('createEpoch', { org: this.org, tenant: this.tenant, epoch: 1 });
  }

  /** A device that may have the tenant's keys: trusted by the security officer and assigned by the admin. */
  async enrolled(change: AssignmentClaims = {}): Promise<TestDevice> {
    const device = new TestDevice();
    await this.kms.trustDevice(device);
    await this.assign(device, change);
    return device;
  }

  async assign(device: TestDevice, change: AssignmentClaims = {}): Promise<void> {
    const claims = { ...(await device.claims(this.org, this.tenant)), ...change };
    await this.kms.client.call('assign', { assignment: await signAssignment(this.admin, claims) });
  }

  /** The HSM is lost, and the KMS runs on another one with the records of before. */
  async loseHsm(): Promise<void> {
    await this.kms.loseHsm();
    await this.acceptRecords();
    await this.kms.start();
  }

  /** What the recovery keys have to sign; `change` puts something else into it. */
  async draft(change: object = {}): Promise<Recovery> {
    const draft = await this.kms.client.call('draftRecovery', { org: this.org });
    return { ...draft, authorities: [], ...change };
  }

  /** Signed as a rule by as many recovery keys as it takes. */
  async signRecovery(recovery: object, signers: TestSigner[] = this.safe.slice(1)): Promise<SignedRecovery> {
    return await signSet(recovery, signers, RECOVERY_TYPE);
  }

  /** Has the security officer accept records that the KMS refuses; the KMS itself tells the numbers. */
  async acceptRecords(): Promise<void> {
    const refusal = await this.kms.start().then(
      () => '',
      (error: Error) => error.message,
    );
    const [, records, counted] = /"records":(\d+),"counted":(\d+)/.exec(refusal) ?? [];
    await this.kms.officer({ do: 'accept-records', records: Number(records), counted: Number(counted) });
  }
}

export async function testOrg(driver: 'softhsm' | 'software' = 'softhsm', limits: object = {}): Promise<TestOrg> {
  const org = new TestOrg(await testKms(driver, limits));
  await org.start();
  return org;
}
