import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { newId } from '../../../../../shared/ids/ids.ts';
import { TestFleetCa } from '../../../../helpers/fleet-ca.ts';

const DAY_MS = 86_400_000;
const generationsOf = async ({ authorities }: TestFleetCa): Promise<number[]> =>
  (await authorities.trusted()).map(({ generation }) => generation);

test('the first authority is made once, by however many who need it', async () => {
  const ca = await TestFleetCa.make();
  const made = await Promise.all(Array.from({ length: 5 }, () => ca.authority()));
  expect(new Set(made).size).toBe(1);
  const certificate = new X509Certificate(made[0] ?? '');
  expect(certificate.ca).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
});

test('the next one comes by itself two years before the end, is vouched for by the one before, and both count for a while', async () => {
  const ca = await TestFleetCa.make();
  const before = new X509Certificate(await ca.authority());
  ca.at += 8 * 365 * DAY_MS - DAY_MS;
  await ca.authorities.keep();
  expect(await generationsOf(ca)).toEqual([1]);
  ca.at += 2 * DAY_MS;
  await ca.authorities.keep();
  await ca.authorities.keep();
  expect(await generationsOf(ca)).toEqual([2, 1]);
  await expect(ca.authorities.roll()).rejects.toMatchObject({ code: 'conflict' });

  const { certificate, crossed } = await ca.authorities.present();
  const [own, vouched] = [new X509Certificate(certificate), new X509Certificate(crossed)];
  expect(vouched.publicKey.equals(own.publicKey)).toBe(true);
  expect(own.publicKey.equals(before.publicKey)).toBe(false);
  expect(vouched.checkIssued(before) && vouched.verify(before.publicKey)).toBe(true);
  expect(vouched.validToDate).toEqual(before.validToDate);
  const issued = new X509Certificate((await ca.device(newId('box'))).certificate);
  expect(issued.checkIssued(own) && issued.checkIssued(vouched) && issued.verify(own.publicKey)).toBe(true);

  ca.at += 14 * DAY_MS;
  expect(await generationsOf(ca)).toEqual([2]);
});

test('one whose key is lost is replaced, and not before: nobody vouches for the next one but itself', async () => {
  const ca = await TestFleetCa.make();
  await ca.authority();
  await expect(ca.authorities.replace()).rejects.toMatchObject({ code: 'conflict' });
  ca.loseKeys();
  const { generation, certificate, crossed } = await ca.authorities.replace();
  expect([generation, crossed]).toEqual([2, '']);
  expect(await generationsOf(ca), 'certificates of boxes hold on').toEqual([2, 1]);
  const issued = new X509Certificate((await ca.device(newId('box'))).certificate);
  expect(issued.verify(new X509Certificate(certificate).publicKey)).toBe(true);
  await expect(ca.authorities.replace()).rejects.toMatchObject({ code: 'conflict' });
});
