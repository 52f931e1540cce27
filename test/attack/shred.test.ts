import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { signByAuditKey } from '../../cloud/audit/sign-by-audit-key.ts';
import { newCommandSchema } from '../../cloud/fleet/ledger/command.ts';
import { findWords } from '../../cloud/shred/find-words.ts';
import { toldBoxes } from '../../cloud/shred/told-boxes.ts';
import { LOG_FORK_TYPE, LOG_HEAD_TYPE } from '../../shared/audit/log-tokens.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import {
  type DeletionReceipt,
  type LoggedWord,
  type ProvedReceipt,
  RECEIPT_TYPE,
  type Statement,
  statementSchema,
} from '../../shared/receipts/receipt.ts';
import { verifyReceipt } from '../../shared/receipts/verify-receipt.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { ShredPlace } from '../helpers/shred-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const DAY_MS = 86_400_000;
const PATIENTLY = { timeout: 20_000, interval: 20 };
const refused = expect.objectContaining({ code: 'receipt_rejected' });

/** A tenant that is shredded on one box and not on another. */
async function shredded() {
  const org = await testOrg('software');
  const place = await ShredPlace.make(org, { file: join(await tempFolder(), 'cloud.db') });
  await place.tenant('club');
  const { box } = await place.box('club');
  const absent = await place.box('club');
  const id = await place.approved('club');
  await place.look();
  await place.ledger.transport.connect(box.id);
  await expect
    .poll(async () => (await place.shreds.get('acme', id)).boxes.map(({ state }) => state).toSorted(), PATIENTLY)
    .toEqual(['erased', 'pending']);
  const keys = [await org.kms.client.call('signingKey', { use: 'audit' })];
  return { org, place, box, absent: absent.box, id, receipts: place.receipts, keys };
}

function flipped(hash: string): string {
  return `${hash[0] === 'A' ? 'B' : 'A'}${hash.slice(1)}`;
}

test('a receipt holds without a network, and nothing that is changed in it does', async () => {
  const { org, box, absent, id, receipts, keys } = await shredded();
  const receipt = await receipts.ofShred('acme', id);
  const { said } = await verifyReceipt(receipt, keys, new Map([[box.id, box.keyHash]]));
  expect(said).toMatchObject({ kind: 'shred', jti: id, org: 'acme', tenant: 'club', destroyedAt: expect.any(String) });
  const states = Object.fromEntries(said.boxes.map(({ device, state, word }) => [device, [state, word !== null]]));
  expect(states).toEqual({ [box.id]: ['erased', true], [absent.id]: ['pending', false] });

  const [folder, file, keysFile] = [await tempFolder(), 'receipt.json', 'keys.json'];
  const at = (name: string): string => join(folder, name);
  await Promise.all([writeFile(at(file), JSON.stringify(receipt)), writeFile(at(keysFile), JSON.stringify({ keys }))]);
  const run = (...more: string[]) =>
    promisify(execFile)(process.execPath, [MAIN, 'receipt', 'verify', at(file), '--keys', at(keysFile), ...more]);
  expect((await run()).stdout).toMatch(new RegExp(`The receipt holds\\.[^]*${box.id} +erased`));
  await expect(run('--box', `${box.id}=${absent.keyHash}`)).rejects.toMatchObject({
    stderr: expect.stringContaining('[receipt_rejected]'),
  });

  // Neither other keys nor the keys of another use.
  const commands = await org.kms.client.call('signingKey', { use: 'commands' });
  await expect(verifyReceipt(receipt, [commands])).rejects.toEqual(refused);
  await expect(verifyReceipt(receipt, [])).rejects.toEqual(refused);
  // Neither a byte of the statement nor of a word, nor a word less.
  const [head = '', claims = '', signature = ''] = receipt.statement.split('.');
  const flipped = `${claims.slice(0, 40)}${claims[40] === 'A' ? 'B' : 'A'}${claims.slice(41)}`;
  for (const statement of [`${head}.${flipped}.${signature}`, `${head}.${claims}.${signature.slice(0, -4)}AAAA`]) {
    await expect(verifyReceipt({ ...receipt, statement }, keys)).rejects.toEqual(refused);
  }
  await expect(verifyReceipt({ ...receipt, words: [] }, keys)).rejects.toEqual(refused);
  const words = (change: (word: LoggedWord) => Partial<LoggedWord>): DeletionReceipt => {
    return { ...receipt, words: receipt.words.map((word) => ({ ...word, ...change(word) })) };
  };
  await expect(
    verifyReceipt(
      words(({ token }) => ({ token: `${token.slice(0, -4)}AAAA` })),
      keys,
    ),
  ).rejects.toEqual(refused);
}, 60_000);

test('a word of a box counts where it is in the log as it came then, under a head that is signed', async () => {
  const { org, place, box, id, receipts, keys } = await shredded();
  const early = await place.heads.latest();
  place.ledger.at += 5000;
  await place.tenant('shed');
  const receipt = await receipts.ofShred('acme', id);
  const { head } = await verifyReceipt(receipt, keys);
  const words = (change: (word: LoggedWord) => Partial<LoggedWord>): DeletionReceipt => {
    return { ...receipt, words: receipt.words.map((word) => ({ ...word, ...change(word) })) };
  };
  expect(receipt.words).toHaveLength(1);
  expect(receipt.words[0]?.proof.length).toBeGreaterThan(0);
  const changed: DeletionReceipt[] = [
    words(({ leaf }) => ({ leaf: leaf + 1 })),
    words(({ leaf }) => ({ leaf: leaf - 1 })),
    words(({ loggedAt }) => ({ loggedAt: loggedAt - 1 })),
    words(({ loggedAt }) => ({ loggedAt: loggedAt + 1 })),
    words(({ salt }) => ({ salt: flipped(salt) })),
    words(() => ({ receipt: id })),
    words(({ proof }) => ({ proof: proof.slice(1) })),
    words(({ proof }) => ({ proof: [...proof, ...proof.slice(0, 1)] })),
    ...(receipt.words[0]?.proof.map((_, at) => words(({ proof }) => ({ proof: proof.with(at, flipped(proof[at] ?? '')) }))) ?? []),
    { ...receipt, head: early },
    { ...receipt, head: `${receipt.head.slice(0, -4)}AAAA` },
    { ...receipt, head: receipt.statement },
  ];
  for (const one of changed) await expect(verifyReceipt(one, keys), JSON.stringify(one)).rejects.toEqual(refused);
  // A head that is signed, over another log, or of no head at all.
  const other = await signByAuditKey(org.kms.client, LOG_HEAD_TYPE, { ...head, root: flipped(head.root) });
  const fork = await signByAuditKey(org.kms.client, LOG_FORK_TYPE, { ...head, of: head.log });
  for (const one of [other, fork]) await expect(verifyReceipt({ ...receipt, head: one }, keys)).rejects.toEqual(refused);
  // The statement is signed as well, but says that the word came at another time than the log does.
  const said = statementSchema.parse(decodeJwt(receipt.statement));
  const boxes = said.boxes.map((one) => {
    return one.device === box.id && one.word
      ? { ...one, word: { ...one.word, at: new Date(Date.parse(one.word.at) - 1).toISOString() } }
      : one;
  });
  const later = await place.issue(receipt, { ...said, boxes } as Statement);
  await expect(verifyReceipt(later, keys)).rejects.toEqual(refused);
}, 60_000);

test('a control plane that says more than its boxes have signed, or than follows from it, is caught although it signs it', async () => {
  const { place, box, absent, id, receipts, keys } = await shredded();
  const honest = await receipts.ofShred('acme', id);
  const said = statementSchema.parse(decodeJwt(honest.statement));
  const word = said.boxes.find(({ device }) => device === box.id)?.word ?? null;
  const signed = (change: object, type = RECEIPT_TYPE): Promise<DeletionReceipt> => place.issue(honest, { ...said, ...change }, type);
  const boxes = (device: string, change: object): object => ({
    boxes: said.boxes.map((one) => (one.device === device ? { ...one, ...change } : one)),
  });
  await verifyReceipt(await signed({}), keys);
  // That it did something else is in the log as well.
  const sync = await place.ledger.give(box.id, { kind: 'sync', body: {} });
  await expect.poll(() => place.ledger.stateOf(sync), PATIENTLY).toBe('SUCCEEDED');
  const { db } = place.ledger.store;
  const [done] = await findWords(db, [(await toldBoxes(db, [sync])).get(sync)?.done?.token ?? '']);
  assert(done && word);
  const digest = createHash('sha256').update(done.token).digest('base64url');
  const { at } = await db.selectFrom('receipts').select('at').where('command', '=', sync).executeTakeFirstOrThrow();
  const elsewhere = { ...word, digest, command: sync, at: new Date(at).toISOString(), removed: null };
  const synced = await place.issue({ ...honest, words: [...honest.words, { ...done, proof: [] }] }, {
    ...said,
    ...boxes(box.id, { word: elsewhere }),
  } as Statement);
  await expect(verifyReceipt(synced, keys), 'the word that it said hello').rejects.toEqual(refused);
  const lies: object[] = [
    boxes(absent.id, { because: 'ack' }),
    boxes(absent.id, { unrecoverableFrom: said.requestedAt }),
    boxes(absent.id, { state: 'erased' }),
    boxes(absent.id, { state: 'unrecoverable' }),
    boxes(absent.id, { state: 'erased', word }),
    boxes(box.id, { state: 'unrecoverable' }),
    boxes(box.id, { word: word && { ...word, key: absent.keyHash } }),
    boxes(box.id, { word: word && { ...word, command: id } }),
    boxes(box.id, { word: word && { ...word, removed: { keyFiles: 9, dataFiles: 9, bytes: 9, customers: 0, tpmCounter: true } } }),
  ];
  for (const lie of lies) await expect(verifyReceipt(await signed(lie), keys), JSON.stringify(lie)).rejects.toEqual(refused);
  await expect(verifyReceipt(await signed({}, 'securegate-ack+jwt'), keys)).rejects.toEqual(refused);
  // What one org's key signed is not another deployment's.
  const other: PublicKey[] = [await (await testOrg('software')).kms.client.call('signingKey', { use: 'audit' })];
  await expect(verifyReceipt(honest, other)).rejects.toEqual(refused);
}, 60_000);

test('of somebody who was erased, it says from when no copy of a box opens, and no sooner than his keys are gone', async () => {
  const org = await testOrg('softhsm');
  const place = await ShredPlace.make(org, { file: join(await tempFolder(), 'cloud.db') });
  const keys = [await org.kms.client.call('signingKey', { use: 'audit' })];
  await place.tenant('club');
  const enforcements = ['memory', 'software', 'memory'] as const;
  const boxes = await Promise.all(
    enforcements.map(async (enforcement) => (await place.box('club', { lease: { seconds: 3600, enforcement } })).box),
  );
  const [memory, software, absent] = boxes.map(({ id }) => id);
  const { id } = await place.erasures.create('acme', 'club', place.erasures.newId(), newId('user'), [newId('customer')]);
  await place.look();
  for (const { id: device } of boxes.slice(0, 2)) await place.ledger.transport.connect(device);
  const done = async () => (await place.erasures.get('acme', id)).boxes.filter(({ state }) => state === 'erased').length;
  await expect.poll(done, PATIENTLY).toBe(2);
  const told = async () => {
    const { said } = await verifyReceipt(await place.receipts.ofErasure('acme', id), keys);
    return Object.fromEntries(
      said.boxes.map(({ device, state, unrecoverableFrom: from }) => [device, from === null ? state : `${state} ${from}`]),
    );
  };
  const erasedOnly = { [`${memory}`]: 'erased', [`${software}`]: 'erased', [`${absent}`]: 'pending' };
  expect(await told(), 'its key is there').toEqual(erasedOnly);

  const cell = { org: 'acme', tenant: 'club' };
  // A key that was made later says nothing of him.
  place.ledger.at = Date.now() + 60_000;
  await org.kms.client.call('createEpoch', { ...cell, epoch: 2 });
  expect(await told(), 'its key is left, and there').toEqual(erasedOnly);
  for (const { id: device } of boxes) await org.kms.client.call('endAssignment', { ...cell, device });
  await org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 });
  const [{ destroyedAt } = { destroyedAt: null }] = await org.kms.client.call('listEpochs', cell);
  const from = new Date((destroyedAt ?? 0) + 7 * DAY_MS).toISOString();
  expect(await told(), 'the HSM may be restored for seven days').toEqual({ ...erasedOnly, [`${memory}`]: `erased ${from}` });
  place.ledger.at = Date.parse(from) + 1000;
  // Of the one that never came, too: nobody gave it another key.
  expect(await told()).toEqual({ ...erasedOnly, [`${memory}`]: `unrecoverable ${from}`, [`${absent}`]: `unrecoverable ${from}` });

  const honest = await place.receipts.ofErasure('acme', id);
  const said = statementSchema.parse(decodeJwt(honest.statement));
  if (said.kind !== 'erasure') throw new Error('this is another receipt');
  const lies = [
    { boxes: said.boxes.map((box) => ({ ...box, state: 'unrecoverable' as const })) },
    { boxes: said.boxes.map((box) => ({ ...box, enforcement: 'memory' as const })) },
    { boxes: said.boxes.map((box) => ({ ...box, lost: null })) },
    { boxes: said.boxes.map((box) => ({ ...box, because: 'ack' as const })) },
    { boxes: said.boxes.map((box) => ({ ...box, leaseEndsAt: new Date(Date.parse(from) + 1).toISOString() })) },
    { epochs: said.epochs.map((epoch) => ({ ...epoch, destroyedAt: null })) },
    { epochs: said.epochs.map((epoch) => ({ ...epoch, leftFrom: said.requestedAt })) },
    { epochs: said.epochs.map((epoch) => ({ ...epoch, unrecoverableFrom: said.requestedAt })) },
  ];
  for (const lie of lies) {
    await expect(verifyReceipt(await place.issue(honest, { ...said, ...lie }), keys), JSON.stringify(lie)).rejects.toEqual(refused);
  }
}, 60_000);

test('that keys are destroyed, and that a receipt was given when it says, is in the log, and nothing else passes for it', async () => {
  const { org, place, id, receipts, keys } = await shredded();
  const honest = await receipts.ofShred('acme', id);
  const said = statementSchema.parse(decodeJwt(honest.statement));
  const { proved } = await verifyReceipt(honest, keys);
  expect(proved).toMatchObject({ issued: honest.issued.leaf, destructions: [{ epoch: null }] });
  const [destruction] = honest.destructions;
  if (said.kind !== 'shred' || destruction === undefined) throw new Error('this is another receipt');

  // Of another tenant that was destroyed, with a proof that holds.
  await place.tenant('shed');
  const other = await place.approved('shed');
  await place.look();
  const ofOther = await receipts.ofShred('acme', other);
  await verifyReceipt(ofOther, keys);
  const asOf = (destructions: ProvedReceipt['destructions']): Promise<ProvedReceipt> => place.issue({ ...honest, destructions }, said);
  await verifyReceipt(await asOf([destruction]), keys);
  await expect(verifyReceipt(await asOf(ofOther.destructions), keys)).rejects.toEqual(refused);
  // Of one epoch of it, where all of its keys are to be gone.
  await expect(verifyReceipt(await asOf([{ ...destruction, epoch: 1 }]), keys)).rejects.toEqual(refused);
  await expect(verifyReceipt(await asOf([]), keys)).rejects.toEqual(refused);

  // Changed, or with a part of its proof.
  expect(destruction.proof.length).toBeGreaterThan(0);
  const changes: Partial<typeof destruction>[] = [
    { proof: destruction.proof.slice(1) },
    { proof: destruction.proof.slice(0, -1) },
    { proof: [] },
    { leaf: destruction.leaf + 1 },
    { at: destruction.at + 1 },
    { loggedAt: destruction.loggedAt - 1 },
    { call: `${destruction.call}0` },
    { evidence: flipped(destruction.evidence) },
    { salt: flipped(destruction.salt) },
  ];
  for (const change of changes) {
    const destructions = [{ ...destruction, ...change }];
    await expect(verifyReceipt({ ...honest, destructions }, keys), JSON.stringify(change)).rejects.toEqual(refused);
  }
  const issued: Partial<typeof honest.issued>[] = [
    { proof: honest.issued.proof.slice(1) },
    { leaf: honest.issued.leaf - 1 },
    { salt: flipped(honest.issued.salt) },
    destruction,
  ];
  for (const change of issued) {
    const { leaf, salt, loggedAt, proof } = { ...honest.issued, ...change };
    await expect(verifyReceipt({ ...honest, issued: { leaf, salt, loggedAt, proof } }, keys)).rejects.toEqual(refused);
  }

  // Dated back: the receipt, and the destruction.
  const early = new Date(Date.parse(said.destroyedAt ?? '') - DAY_MS).toISOString();
  await expect(verifyReceipt(await place.issue(honest, { ...said, iat: said.iat - 86_400 }), keys)).rejects.toEqual(refused);
  await expect(verifyReceipt(await place.issue(honest, { ...said, destroyedAt: early }), keys)).rejects.toEqual(refused);

  // One of the first version holds, and says that it proves less; a later one does not pass for it.
  const { version: _, ...first } = said;
  const { words, head } = honest;
  const statement = await signByAuditKey(org.kms.client, RECEIPT_TYPE, first);
  expect(await verifyReceipt({ version: 1, statement, words, head }, keys)).toMatchObject({ proved: null });
  await expect(verifyReceipt({ version: 1, statement: honest.statement, words, head }, keys)).rejects.toEqual(refused);
  await expect(verifyReceipt(await place.issue(honest, first), keys)).rejects.toEqual(refused);
}, 60_000);

test('a destruction that was refused proves nothing, nor does one that came later; of a box that may have moved unheard nobody knows', async () => {
  const org = await testOrg('software');
  const place = await ShredPlace.make(org, { file: join(await tempFolder(), 'cloud.db') });
  const keys = [await org.kms.client.call('signingKey', { use: 'audit' })];
  await place.tenant('club');
  const { box } = await place.box('club');
  const gone = await org.enrolled();
  await org.assign(gone, { tenant: 'club' });
  const { id } = await place.erasures.create('acme', 'club', place.erasures.newId(), newId('user'), [newId('customer')]);
  const cell = { org: 'acme', tenant: 'club' };
  await org.kms.client.call('createEpoch', { ...cell, epoch: 2 });
  await expect(org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 })).rejects.toMatchObject({ code: 'boxes_waiting' });
  place.ledger.at = Date.now();
  const honest = await place.receipts.ofErasure('acme', id);
  const said = statementSchema.parse(decodeJwt(honest.statement));
  if (said.kind !== 'erasure') throw new Error('this is another receipt');
  const { db } = place.ledger.store;
  const refusal = await db.selectFrom('audit').selectAll().where('outcome', '=', 'boxes_waiting').executeTakeFirstOrThrow();
  const { at, request: call, evidence, leaf, logged_at: loggedAt, salt } = refusal;
  const proof = { epoch: 1, at, call, evidence, leaf, loggedAt, salt, proof: [] };
  const destroyedAt = (statement: typeof said, time: number): Statement => ({
    ...statement,
    epochs: statement.epochs.map((epoch) => (epoch.epoch === 1 ? { ...epoch, destroyedAt: new Date(time).toISOString() } : epoch)),
  });
  const lie = await place.issue({ ...honest, destructions: [proof] }, destroyedAt(said, loggedAt));
  await expect(verifyReceipt(lie, keys)).rejects.toEqual(refused);

  await gone.fetchTek(org.kms.client, 'acme', 'club', 2);
  for (const device of [box.id, gone.id]) await org.kms.client.call('denyDevice', { device });
  await org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 });
  await place.receipts.ofErasure('acme', id);
  place.ledger.at = Date.now() + 30 * DAY_MS;
  const later = await place.receipts.ofErasure('acme', id);
  const { said: saidLater } = await verifyReceipt(later, keys);
  if (saidLater.kind !== 'erasure') throw new Error('this is another receipt');
  const told = saidLater.boxes.map(({ device, state, because }) => [device, `${state} ${because}`]);
  expect(Object.fromEntries(told), 'a software keystore says no more than this').toEqual({
    [box.id]: 'erased epoch_lost',
    [gone.id]: 'pending null',
  });
  const before = await place.issue(later, destroyedAt(saidLater, loggedAt - DAY_MS));
  await expect(verifyReceipt(before, keys)).rejects.toEqual(refused);
}, 60_000);

test('nobody gives a command of a shred by itself, nor cancels it; one that comes twice is done once', async () => {
  const { place, absent, id } = await shredded();
  const orders = [
    { kind: 'shred-tenant', body: { org: 'acme', tenant: 'club', shred: id } },
    { kind: 'erase-customers', body: { tenant: 'club', erasure: id, customers: [newId('customer')] } },
  ];
  for (const order of orders) expect(newCommandSchema.safeParse({ device: absent.id, order }).success).toBe(false);
  const command = (await place.shreds.get('acme', id)).boxes.find(({ device }) => device === absent.id)?.command ?? '';
  await expect(place.ledger.ledger.commands.cancel('acme', command)).rejects.toMatchObject({ code: 'command_settled' });

  const { transport } = place.ledger;
  await transport.connect(absent.id);
  const done = async (): Promise<string> => await place.ledger.stateOf(command);
  await expect.poll(done, PATIENTLY).toBe('SUCCEEDED');
  const sent = transport.sent.filter(({ device, channel }) => device === absent.id && channel === 'commands');
  const begun = transport.sent.filter(({ device, channel }) => device === absent.id && channel === 'acks').length;
  for (const message of sent) transport.inject(message);
  await expect
    .poll(() => transport.sent.filter(({ device, channel }) => device === absent.id && channel === 'acks').length, PATIENTLY)
    .toBeGreaterThan(begun);
  // The very same word is said again: it was not done again.
  const receipts = await place.ledger.ledger.receipts.list('acme', { device: absent.id, limit: 10 });
  expect(receipts.items).toHaveLength(1);
}, 60_000);
