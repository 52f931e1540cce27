import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SoftwareHsm } from '../../../../../cloud/kms/hsm/software/software-hsm.ts';
import { RollbackGuard } from '../../../../../cloud/kms/rollback-guard.ts';
import { SigningKeys } from '../../../../../cloud/kms/signing/signing-keys.ts';
import { openKmsStore } from '../../../../../cloud/kms/store/open-kms-store.ts';
import { followKeyChanges } from '../../../../../shared/lease/follow-key-changes.ts';
import { noteSecret } from '../../../../helpers/secrecy/note-secret.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

test('words on keys of an HSM that was lost are not told: whoever has pinned a key of the next one could not follow them', async () => {
  const folder = await tempFolder();
  const store = openKmsStore(join(folder, 'data'));
  onTestFinished(() => store.close());
  const keysOn = async (name: string): Promise<SigningKeys> => {
    const master = randomBytes(32);
    noteSecret('master key', master);
    const hsm = new SoftwareHsm({
      keystore: join(folder, name),
      trustedKeys: join(folder, 'trusted'),
      masterKey: () => Buffer.from(master),
    });
    await hsm.start();
    onTestFinished(() => hsm.stop());
    return new SigningKeys({ hsm, store, guard: new RollbackGuard(hsm, store), now: Date.now });
  };
  const lost = await keysOn('lost');
  await lost.change('audit');
  expect(await lost.history('audit')).toMatchObject({ keys: [{}, {}], changes: [expect.any(String)] });

  const next = await keysOn('next');
  const pinned = await next.key('audit');
  expect(await next.history('audit')).toEqual({ keys: [pinned], changes: [] });
  const changed = await next.change('audit');
  const { keys, changes } = await next.history('audit');
  expect(keys).toEqual([changed, pinned]);
  expect((await followKeyChanges('audit', [pinned], changes)).keys).toEqual(keys);
});
