import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Recoveries } from '../../cloud/fleet/recoveries.ts';
import type { LogExport } from '../../provisioning/audit/log-export.ts';
import { verifyCopy } from '../../provisioning/audit/verify-copy.ts';
import { verifyLog } from '../../provisioning/audit/verify-log.ts';
import { keyChangeName } from '../../shared/audit/copy-names.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import { Bucket } from '../../shared/s3/bucket.ts';
import { CopyPlace, READER_RIGHTS } from '../helpers/copy-place.ts';
import { adminSet, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { rewriteLog } from '../helpers/rewrite-log.ts';
import { S3Fake } from '../helpers/s3-fake/s3-fake.ts';
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

  // That one is lost as well: in whatever order it is told, the newest word counts.
  await org.loseHsm();
  const second = await org.draft({ iat: recovery.iat + 60 });
  const both = [await org.signRecovery(second), signed];
  const last = await exportOf(place, org, both);
  const followed = await verifyLog(last, place.key, undefined, fingerprint);
  expect(followed.losses.map((loss) => loss.recovery)).toEqual([recovery.id, second.id]);
  expect(followed.seen.key).toEqual(last.key);

  // Whoever has the HSM of before, and what was signed for it, leads nobody back who has seen the log since.
  for (const key of [later.key, place.key]) {
    await expect(verifyLog(log, key, next.seen, fingerprint)).rejects.toEqual(refused('log_head_rejected'));
  }
});

test('the copy of the log goes on by the next HSM, and whoever reads it follows on the word of the quorum, and of nobody else', async () => {
  const org = await testOrg('software');
  const fingerprint = adminsFingerprint(adminSet('acme', 1, [org.admin], org.safe));
  const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, org.kms.client);
  const store = await S3Fake.start();
  const one = await CopyPlace.start(place, store);
  const reader = await Bucket.open(await store.account(...READER_RIGHTS), new AbortController().signal);
  onTestFinished(() => reader.close());
  const grow = async (): Promise<{ log: string; size: number }> => {
    await place.act('something');
    return await one.copy();
  };
  const changeKey = async (): Promise<unknown> => org.kms.client.call('changeKey', { use: 'audit' });
  await grow();
  await changeKey();
  const { log } = await grow();
  const { token: seen } = await verifyCopy(reader, place.key);

  await org.loseHsm();
  const recovery = await org.draft();
  const signed = await org.signRecovery(recovery);
  await new Recoveries({ db: place.store.db, kms: org.kms.client, now: Date.now }).keep('acme', recovery.id, signed);
  await grow();
  // The next HSM knows nothing of the words of the one before, which stand where its own would.
  await changeKey();
  const { size } = await grow();
  expect(store.objects.names.filter((name) => name.includes('key-change'))).toEqual([0, 1].map((n) => `log/${keyChangeName(log, n)}`));

  const told = await exportOf(place, org, [signed]);
  for (const trust of [{}, { seen }]) {
    await expect(verifyCopy(reader, place.key, trust), 'nobody has said so').rejects.toEqual(refused('key_change_rejected'));
    await expect(verifyCopy(reader, place.key, { ...trust, org: { log: told, orgKeys: undefined } })).rejects.toEqual(
      refused('recovery_rejected'),
    );
    const rogue = new TestSigner();
    const theirs = { recoveries: [await org.signRecovery(recovery, [rogue])], orgKeys: adminSet('acme', 1, [rogue], [rogue]) };
    await expect(verifyCopy(reader, place.key, { ...trust, org: { log: { ...told, ...theirs }, orgKeys: fingerprint } })).rejects.toEqual(
      refused('recovery_rejected'),
    );
    const verified = await verifyCopy(reader, place.key, { ...trust, org: { log: told, orgKeys: fingerprint } });
    expect(verified).toMatchObject({ head: { size }, losses: [{ recovery: recovery.id, key: recovery.keys.audit }] });
    expect(verified.keys[0]).toEqual(told.key);
  }

  // A log that begins anew has nothing of the HSM that was lost before it.
  const backupAt = place.time;
  await grow();
  await rewriteLog(place, (entries) => entries.slice(0, -1));
  await place.heads.declareFork(backupAt);
  for (let changes = 0; changes < 2; changes += 1) {
    await changeKey();
    await grow();
  }
  const trust = { org: { log: await exportOf(place, org, [signed]), orgKeys: fingerprint } };
  expect(await verifyCopy(reader, place.key, trust)).toMatchObject({ forks: [{ of: log }], losses: [{ recovery: recovery.id }] });
});
