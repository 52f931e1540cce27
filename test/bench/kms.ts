import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KmsConfig } from '../../cloud/kms/config/schema.ts';
import type { Hsm } from '../../cloud/kms/hsm/hsm.ts';
import { openHsm } from '../../cloud/kms/hsm/open-hsm.ts';
import { runTrust } from '../../cloud/kms/trust-main.ts';
import { hasSoftHsm, makeToken } from '../helpers/soft-hsm.ts';

/** How often a second each driver makes a cell, makes and wraps a tenant key, hands one out, signs and destroys a cell. */
const CELLS = 100;
const CALLS = 400;

interface Result {
  readonly driver: string;
  readonly perSecond: Readonly<Record<string, number>>;
}

async function rate(times: number, work: (at: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: times }, (_, at) => work(at)));
  return (times * 1000) / (performance.now() - startedAt);
}

async function measure(config: KmsConfig['hsm'], trustFile: string, pemFile: string): Promise<Result> {
  const [fingerprint = ''] = await runTrust(trustFile, { do: 'add', pemFile });
  const hsm: Hsm = await openHsm(config);
  await hsm.start();
  try {
    const cell = (epoch: number): { org: string; tenant: string; epoch: number } => ({ org: 'acme', tenant: 'hall', epoch });
    const created = await rate(CELLS, (at) => hsm.createCell(cell(at)));
    const wrapped = await hsm.createTek(cell(0));
    await hsm.signingKey('commands');
    const message = randomBytes(200);
    return {
      driver: hsm.title,
      perSecond: {
        'create a cell': created,
        'make and wrap a tenant key': await rate(CALLS, () => hsm.createTek(cell(0))),
        'hand out a tenant key': await rate(CALLS, () => hsm.exportTek(cell(0), wrapped, fingerprint)),
        'count a change of records': await rate(CELLS, (at) => hsm.raiseRecordsVersion(at + 1)),
        sign: await rate(CALLS, () => hsm.sign('commands', [message])),
        'destroy a cell': await rate(CELLS, (at) => hsm.destroyCell(cell(at))),
      },
    };
  } finally {
    await hsm.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'securegate-bench-kms-'));
try {
  const pemFile = join(folder, 'device.pem');
  writeFileSync(pemFile, generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }));
  const trustFile = join(folder, 'kms-trust.json');
  const results: Result[] = [];
  const file = join(folder, 'master.key');
  writeFileSync(file, randomBytes(32), { mode: 0o600 });
  const trustedKeys = join(folder, 'trusted');
  writeFileSync(trustFile, JSON.stringify({ driver: 'software', trustedKeys }));
  results.push(
    await measure({ driver: 'software', keystore: join(folder, 'keystore'), trustedKeys, masterKey: { file } }, trustFile, pemFile),
  );
  if (hasSoftHsm) {
    const { library, token, pinFile, soPinFile } = makeToken(folder);
    writeFileSync(trustFile, JSON.stringify({ driver: 'pkcs11', library, token, soPin: { file: soPinFile } }));
    const pin = { file: pinFile };
    results.push(await measure({ driver: 'pkcs11', library, token, pin, sessions: 4, destroyHorizonDays: 0 }, trustFile, pemFile));
  } else process.stderr.write('no SoftHSM2 here: measured in software alone\n');
  for (const { driver, perSecond } of results) {
    process.stdout.write(`${driver}\n`);
    for (const [what, figure] of Object.entries(perSecond))
      process.stdout.write(`  ${what.padEnd(28)}${figure.toFixed(0).padStart(8)} a second\n`);
  }
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(results)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
