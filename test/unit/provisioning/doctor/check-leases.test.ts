import { beforeEach, describe, expect, test } from 'vitest';
import { checkLeases } from '../../../../provisioning/doctor/check-leases.ts';
import { hasSoftTpm, type SoftTpm, softTpm } from '../../../helpers/soft-tpm.ts';

test('a box whose configuration names no TPM says so', async () => {
  expect(await checkLeases(undefined)).toMatchObject({ state: 'ok', message: expect.stringContaining('not in a TPM') });
});

test('a TPM that is not there is a fault, with what to do', async () => {
  expect(await checkLeases({ tcti: 'device:/dev/none', pcrs: 'sha256:7' })).toMatchObject({
    state: 'fail',
    message: expect.stringContaining('There is no TPM at device:/dev/none'),
    next: expect.stringContaining('lease.tpm.tcti'),
  });
});

describe.skipIf(!hasSoftTpm)('a TPM', () => {
  let tpm: SoftTpm;
  beforeEach(async () => {
    tpm = await softTpm();
  });

  test('that leases can be bound to is well', async () => {
    expect(await checkLeases({ tcti: tpm.tcti, pcrs: 'sha256:7' })).toMatchObject({
      state: 'ok',
      message: expect.stringContaining('sha256:7'),
    });
  });

  test('without PCRs opens them for any system, which is said', async () => {
    expect(await checkLeases({ tcti: tpm.tcti })).toMatchObject({ state: 'warn', next: expect.stringContaining('lease.tpm.pcrs') });
  });

  test('with an owner password is a fault, with what to do', async () => {
    await tpm.tool('tpm2_changeauth', '-c', 'owner', 'secret');
    expect(await checkLeases({ tcti: tpm.tcti })).toMatchObject({ state: 'fail', next: expect.stringContaining('tpm2_changeauth') });
  });
});
