import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../edge/runtime/clock.ts';
import type { Reply } from '../../../../edge/vault/protocol.ts';
import { VaultService } from '../../../../edge/vault/vault-service.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { testBox } from '../../../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL } from '../../../helpers/vault-guests.ts';

async function openService(): Promise<VaultService> {
  const { box, dataDir, keyDir } = await testBox();
  const service = new VaultService(systemClock, createLogger('test', { level: 'silent' }), () => undefined);
  onTestFinished(() => service.stop());
  const input = { scope: { org: 'acme', tenant: 'hall', box }, dataDir, keyDir, logLevel: 'silent' };
  expect(await service.handle({ id: 1, operation: 'open', arguments: input })).toEqual({
    id: 1,
    figures: {
      faces: 0,
      rejected: 0,
      writable: true,
      outbox: { items: 0, bytes: 0, dropped: 0 },
      keyringChanges: 0,
      keyringLosses: 0,
      epoch: 1,
      lease: null,
    },
    result: {},
  });
  return service;
}

const refusal = (code: string): unknown => expect.objectContaining({ error: expect.objectContaining({ code }) });
const notNormal = embeddingOf(1).map((value) => value * 2);

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a string', 'enrolCustomer'],
  ['no id', { operation: 'listCustomers', arguments: { limit: 1 } }],
  ['an id that is no number', { id: '1', operation: 'listCustomers', arguments: { limit: 1 } }],
])('a message that cannot be answered is ignored: %s', async (_, message) => {
  const service = await openService();
  expect(await service.handle(message)).toBeUndefined();
  expect(await service.handle({ id: 2, operation: 'listCustomers', arguments: { limit: 1 } })).toMatchObject({
    result: { items: [], next: null },
  });
});

test.each<[string, unknown]>([
  ['an unknown operation', { operation: 'dropTables', arguments: {} }],
  ["an object's own members", { operation: 'constructor', arguments: {} }],
  ['no arguments', { operation: 'search' }],
  ['too much', { operation: 'listCustomers', arguments: { tenant: 'club' } }],
  ['a path as an id', { operation: 'getCustomer', arguments: { customerId: '../../etc/passwd' } }],
  ['SQL as an id', { operation: 'getCustomer', arguments: { customerId: "' OR 1=1 --" } }],
  ['an embedding of 511 numbers', { operation: 'search', arguments: { embeddings: [new Float32Array(511)], model: MODEL, limit: 1 } }],
  ['an embedding of zeros', { operation: 'search', arguments: { embeddings: [new Float32Array(512)], model: MODEL, limit: 1 } }],
  [
    'an embedding with NaN',
    { operation: 'search', arguments: { embeddings: [new Float32Array(512).fill(Number.NaN)], model: MODEL, limit: 1 } },
  ],
  ['an embedding that is not normalised', { operation: 'search', arguments: { embeddings: [notNormal], model: MODEL, limit: 1 } }],
  ['an array for an embedding', { operation: 'search', arguments: { embeddings: [[...embeddingOf(1)]], model: MODEL, limit: 1 } }],
  ['a page of nothing', { operation: 'listCustomers', arguments: { limit: 0 } }],
  ['a page of everything', { operation: 'listCustomers', arguments: { limit: 201 } }],
  ['a cursor that is none', { operation: 'listCustomers', arguments: { limit: 1, cursor: '1 OR 1=1' } }],
  [
    'a picture that is no JPEG',
    { operation: 'enrolCustomer', arguments: { ...guest(1), faces: [{ ...face(1), picture: Buffer.from('GIF89a') }] } },
  ],
  ['an empty picture', { operation: 'enrolCustomer', arguments: { ...guest(1), faces: [{ ...face(1), picture: Buffer.alloc(0) }] } }],
  ['a record that is too long', { operation: 'addRecord', arguments: { kind: 'rooms', json: `"${'é'.repeat(32 * 1024)}"` } }],
  ['a kind that is none', { operation: 'addRecord', arguments: { kind: "rooms'", json: '{}' } }],
  ['a negative count', { operation: 'count', arguments: { counter: 'search', by: -1 } }],
  ['a day that is none', { operation: 'usage', arguments: { from: '2026-02-30', to: '2026-03-01' } }],
  ['no name', { operation: 'enrolCustomer', arguments: { profile: { name: '' }, consent: consentFor(), faces: [face(1)] } }],
  ['no consent', { operation: 'enrolCustomer', arguments: { profile: { name: 'A' }, faces: [face(1)] } }],
  ['a limit of nothing', { operation: 'search', arguments: { embeddings: [], model: MODEL, limit: 0 } }],
  [
    'a second opening',
    { operation: 'open', arguments: { scope: { org: 'acme', tenant: 'club', box: 'x' }, dataDir: '/x', keyDir: '/y', logLevel: 'info' } },
  ],
])('an invalid request is refused and the vault goes on: %s', async (_, request) => {
  const service = await openService();
  expect(await service.handle({ id: 2, ...Object(request) })).toEqual(refusal('invalid_request'));
  expect(await service.handle({ id: 3, operation: 'enrolCustomer', arguments: guest(1) })).toMatchObject({ id: 3, figures: { faces: 1 } });
});

test('a refusal names the field and never shows what was in it', async () => {
  const service = await openService();
  const input = {
    ...guest(1),
    profile: { name: 'Very Secret Name', shoeSize: 'Very Secret Size', contact: 'Very Secret Contact'.repeat(50) },
  };
  const reply = (await service.handle({ id: 2, operation: 'enrolCustomer', arguments: input })) as Reply;
  expect(JSON.stringify(reply)).not.toContain('Very Secret');
  expect(reply).toMatchObject({
    error: { details: { fields: expect.arrayContaining([{ field: 'profile.contact', problem: 'too_big' }]) } },
  });
});

test('before it was opened and after it was closed, the vault is unavailable', async () => {
  const service = new VaultService(systemClock, createLogger('test', { level: 'silent' }), () => undefined);
  expect(await service.handle({ id: 1, operation: 'listCustomers', arguments: { limit: 1 } })).toEqual(refusal('vault_unavailable'));
  const opened = await openService();
  expect(await opened.handle({ id: 2, operation: 'close', arguments: {} })).toMatchObject({ result: {} });
  expect(await opened.handle({ id: 3, operation: 'listCustomers', arguments: { limit: 1 } })).toEqual(refusal('vault_unavailable'));
});

test('requests are answered in the order in which they came', async () => {
  const service = await openService();
  const replies = await Promise.all([
    service.handle({ id: 2, operation: 'enrolCustomer', arguments: guest(1) }),
    service.handle({ id: 3, operation: 'search', arguments: { embeddings: [embeddingOf(1)], model: MODEL, limit: 1 } }),
  ]);
  expect(replies[1]).toMatchObject({ result: [[{ score: expect.closeTo(1, 5) }]] });
});
