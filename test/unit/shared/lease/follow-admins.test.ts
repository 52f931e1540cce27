import { expect, test } from 'vitest';
import { followAdmins } from '../../../../shared/lease/follow-admins.ts';
import { adminSet, signSet, TestSigner } from '../../../helpers/kms.ts';

const refused = expect.objectContaining({ code: 'admins_rejected' });
const [ada, ben] = [new TestSigner(), new TestSigner()];
const safe = [new TestSigner(), new TestSigner(), new TestSigner()];
const first = await signSet(adminSet('acme', 1, [ada], safe), [ada]);
const second = await signSet(adminSet('acme', 2, [ben], safe), [ada]);
const third = await signSet(adminSet('acme', 3, [ada, ben], safe), safe.slice(1));

test('a box that has pinned no keys of its org takes those that it is told first, and follows each change that they have signed', async () => {
  expect(await followAdmins('acme', null, [])).toBeNull();
  const pinned = await followAdmins('acme', null, [first, second]);
  expect(pinned).toEqual(adminSet('acme', 2, [ben], safe));
  expect(await followAdmins('acme', pinned, [first, second])).toEqual(pinned);
  expect(await followAdmins('acme', pinned, [first, second, third])).toEqual(adminSet('acme', 3, [ada, ben], safe));
  expect(await followAdmins('acme', pinned, []), 'a cloud that tells none').toEqual(pinned);
  // Signatures of the first sets were not kept everywhere.
  expect(await followAdmins('acme', null, [second, third])).toEqual(adminSet('acme', 3, [ada, ben], safe));
});

test('who runs the cloud puts no keys of his own in their place', async () => {
  const pinned = await followAdmins('acme', null, [first]);
  const mallory = [new TestSigner(), new TestSigner()];
  const his = adminSet('acme', 2, mallory, mallory);
  await expect(followAdmins('acme', pinned, [first, await signSet(his, mallory)])).rejects.toThrow(refused);
  await expect(followAdmins('acme', pinned, [await signSet(his, safe.slice(2))]), 'one of two').rejects.toThrow(refused);
  await expect(followAdmins('acme', pinned, [third]), 'one between them is missing').rejects.toThrow(refused);
  await expect(followAdmins('acme', null, [await signSet(adminSet('rival', 1, mallory, mallory), mallory)])).rejects.toThrow(refused);
  const again = await signSet(adminSet('acme', 1, mallory, mallory), mallory);
  expect(await followAdmins('acme', pinned, [again]), 'another first one').toEqual(pinned);
});
