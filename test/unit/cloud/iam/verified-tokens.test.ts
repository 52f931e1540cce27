import { UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { VerifiedTokens } from '../../../../cloud/iam/verified-tokens.ts';

const SUBJECT = { id: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa', org: 'acme', roles: [] };
const START = 1_800_000_000_000;

/** Tokens that end after some seconds, and how often each was verified. */
function tokens() {
  const clock = { now: START };
  const asked: string[] = [];
  const verified = new VerifiedTokens(
    {
      verify: async (token) => {
        asked.push(token);
        if (token.startsWith('bad')) throw new Error('it does not count');
        return SUBJECT;
      },
    },
    () => clock.now,
  );
  const token = (seconds: number, sub = 'a'): string => new UnsecuredJWT({ sub }).setExpirationTime(START / 1000 + seconds).encode();
  return { clock, asked, verified, token };
}

test('a token is verified once, and again after half a minute', async () => {
  const { clock, asked, verified, token } = tokens();
  const one = token(600);
  for (const after of [0, 1, 29_999]) {
    clock.now = START + after;
    expect(await verified.verify(one)).toEqual(SUBJECT);
  }
  expect(asked).toEqual([one]);
  await verified.verify(token(600, 'b'));
  expect(asked).toHaveLength(2);
  clock.now = START + 30_000;
  await verified.verify(one);
  expect(asked).toHaveLength(3);
});

test('one that ends sooner is verified again from its end on', async () => {
  const { clock, asked, verified, token } = tokens();
  const short = token(10);
  await verified.verify(short);
  clock.now = START + 10_000;
  await verified.verify(short);
  await verified.verify(short);
  expect(asked).toHaveLength(3);
});

test('one that does not count is not remembered', async () => {
  const { asked, verified } = tokens();
  for (let at = 0; at < 2; at++) await expect(verified.verify('bad')).rejects.toThrow();
  expect(asked).toHaveLength(2);
});

test('the oldest make room', async () => {
  const { asked, verified, token } = tokens();
  for (let at = 0; at <= 10_000; at++) await verified.verify(token(600, String(at)));
  await verified.verify(token(600, '10000'));
  expect(asked).toHaveLength(10_001);
  await verified.verify(token(600, '0'));
  expect(asked).toHaveLength(10_002);
});
