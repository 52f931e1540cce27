import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogExport } from '../../provisioning/audit/log-export.ts';
import { verifyLog } from '../../provisioning/audit/verify-log.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import { adminSet, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

/** What a control plane tells of its log after the HSM was lost, with these words of the org on it. */
async function exportOf(place: LogPlace, org: TestOrg, recoveries: SignedRecovery[]): Promise<LogExport> {
  await place.act('something');
  const { token, size } = await place.head();
  const leaves = (await place.tree.tile({ level: 0, number: 0 })).slice(0, size);
  const { key, changes } = await place.heads.keyOf(token);
  const signed = { key, keyChanges: [...changes], recoveries, orgKeys: adminSet('acme', 1, [org.admin], org.safe), head: token };
  return { version: 1, org: 'acme', ...signed, forks: [], leaves, entries: [], cosignatures: [] };
}

test('the key of the log is followed from an HSM that is lost to the next ones on the word of the quorum, and of nobody else', async () => {
  const org = await testOrg('software');
  const fingerprint = adminsFingerprint(adminSet('acme', 1, [org.admin], org.safe));
  const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, org.kms.client);
  place.time = Date.now() - 60_000;
  const { seen } = await verifyLog(await exportOf(place, org, []), place.key, undefined);

  await org.loseHsm();
  const recovery = await org.draft();
  const signed = await org.signRecovery(recovery);
  const log = await exportOf(place, org, [signed]);
  await expect(verifyLog({ ...log, recoveries: [] }, place.key, seen, fingerprint), 'nobody has signed it').rejects.toEqual(
    refused('log_head_rejected'),
  );
  await expect(verifyLog(log, place.key, seen), 'nobody has compared the keys of the org').rejects.toEqual(refused('recovery_rejected'));
  const rogue = new TestSigner();
  const theirs = adminSet('acme', 1, [rogue], [rogue]);
  const byRogue = { ...log, recoveries: [await org.signRecovery(recovery, [rogue])] };
  await expect(verifyLog({ ...byRogue, orgKeys: theirs }, place.key, seen, fingerprint)).rejects.toEqual(refused('recovery_rejected'));
  for (const signers of [[rogue, rogue], org.safe.slice(2), [org.safe[0] as TestSigner, org.admin]]) {
    const tooFew = { ...log, recoveries: [await org.signRecovery(recovery, signers)] };
    await expect(verifyLog(tooFew, place.key, seen, fingerprint)).rejects.toEqual(refused('recovery_rejected'));
  }
  const verified = await verifyLog(log, place.key, seen, fingerprint);
  expect(verified.losses).toEqual([{ recovery: recovery.id, at: recovery.iat * 1000, key: recovery.keys.audit }]);
  expect(verified.seen.key).toEqual(recovery.keys.audit);

  place.time = Date.now() + 60_000;
  // From there on its KMS says how it changes; who pinned the first key comes to the same.
  await org.kms.client.call('changeKey', { use: 'audit' });
  const later = await exportOf(place, org, [signed]);
  const next = await verifyLog(later, recovery.keys.audit, verified.seen);
  expect(next.losses).toEqual([]);
  expect(next.seen.key).toEqual(later.key);
  expect((await verifyLog(later, place.key, undefined, fingerprint)).seen.key).toEqual(later.key);

  // Whoever has the HSM of before, and what was signed for it, leads nobody back who has seen the log since.
  for (const key of [later.key, place.key]) {
    await expect(verifyLog(log, key, next.seen, fingerprint)).rejects.toEqual(refused('log_head_rejected'));
  }
});
