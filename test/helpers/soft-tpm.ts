import { onTestFinished } from 'vitest';
import { SoftTpm as TpmOfDrills } from '../../provisioning/drills/harness/soft-tpm.ts';
import { tempFolder } from './temp-folder.ts';

/** Whether tests can use a TPM; without Debian's `swtpm` and `tpm2-tools` they are skipped. */
export { hasSoftTpm } from '../../provisioning/drills/harness/soft-tpm.ts';

export class SoftTpm extends TpmOfDrills {
  /** Guesses a password wrongly until the TPM takes none any more. */
  async lockOut(): Promise<void> {
    await this.tool('tpm2_dictionarylockout', '-s', '-n', '1', '-t', '1000', '-l', '1000');
    await this.tool('tpm2_createprimary', '-C', 'o', '-c', 'lock.ctx', '-Q');
    await this.tool('tpm2_create', '-C', 'lock.ctx', '-p', 'right', '-u', 'lock.pub', '-r', 'lock.priv', '-Q');
    await this.tool('tpm2_flushcontext', '-t');
    await this.tool('tpm2_load', '-C', 'lock.ctx', '-u', 'lock.pub', '-r', 'lock.priv', '-c', 'key.ctx', '-Q');
    await this.tool('tpm2_flushcontext', '-t');
    await this.tool('tpm2_sign', '-c', 'key.ctx', '-p', 'wrong', '-o', 'x', 'lock.pub').catch(() => '');
    await this.tool('tpm2_flushcontext', '-t').catch(() => '');
  }
}

/** A started TPM, fresh from the factory; it is ended when the test has ended. */
export async function softTpm(): Promise<SoftTpm> {
  const tpm = new SoftTpm(await tempFolder());
  onTestFinished(() => tpm.cut());
  await tpm.start();
  return tpm;
}
