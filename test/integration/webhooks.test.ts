import { createHmac } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../edge/runtime/clock.ts';
import type { VaultClient } from '../../edge/vault/client.ts';
import { Webhooks } from '../../edge/webhooks/webhooks.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import { webhookMessageSchema } from '../../shared/messages/webhook-message.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { testSighting } from '../helpers/test-sighting.ts';
import { testBox, testClient } from '../helpers/vault.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

const refusal = (code: string) => expect.objectContaining({ code });

async function openVault(): Promise<VaultClient> {
  const vault = testClient(await testBox());
  await vault.start();
  return vault;
}

async function startWebhooks(vault: VaultClient, allowPrivateTargets = true): Promise<Webhooks> {
  const webhooks = new Webhooks({
    allowPrivateTargets,
    vault: (tenant) => {
      if (tenant !== 'hall') throw new SecureGateError('tenant_not_found', 'There is no such tenant');
      return vault;
    },
    clock: systemClock,
    logger: testLogger(),
  });
  await webhooks.start();
  onTestFinished(() => webhooks.stop());
  await webhooks.open('hall');
  return webhooks;
}

/** What waits is saved every second. */
const POLL = { timeout: 20_000 };

/** What the vault keeps of deliveries that have not arrived. */
async function kept(vault: VaultClient): Promise<unknown[]> {
  const { items } = await vault.listRecords('webhook-deliveries', { limit: 200 });
  return items.map(({ data }) => data);
}

test('a webhook outlives a restart with the secret that was shown once', async () => {
  const receiver = await webhookReceiver((response) => response.end());
  const vault = await openVault();
  const before = await startWebhooks(vault);
  const { webhook, secret } = await before.add('hall', { url: receiver.url, active: true });
  expect(JSON.stringify(before.list('hall'))).not.toContain(secret);
  await before.stop();
  const after = await startWebhooks(vault);
  expect(after.list('hall')).toEqual([webhook]);
  after.publish(testSighting());
  await receiver.calls(1);
  const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = receiver.received;
  // As a receiver checks it who has read nothing but the OpenAPI document.
  const [, seconds, given] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['securegate-signature'])) ?? [];
  expect(given).toBe(createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex'));
  expect(Math.abs(Date.now() / 1000 - Number(seconds))).toBeLessThan(300);
  const message = webhookMessageSchema.parse(JSON.parse(body.toString('utf8')));
  expect(headers['securegate-delivery']).toBe(message.id);
});

test('a stalled receiver holds up neither the sightings nor the other receivers', async () => {
  const stalled = await webhookReceiver(() => undefined);
  const receiver = await webhookReceiver((response) => response.end());
  const webhooks = await startWebhooks(await openVault());
  await webhooks.add('hall', { url: stalled.url, active: true });
  await webhooks.add('hall', { url: receiver.url, active: true });
  for (let count = 0; count < 20; count += 1) webhooks.publish(testSighting());
  await receiver.calls(20);
  expect(stalled.received.length).toBeLessThanOrEqual(1);
});

test('what was given up can be delivered once more, as far as its sighting is still there', async () => {
  const receiver = await webhookReceiver((response) => response.end());
  const vault = await openVault();
  const webhooks = await startWebhooks(vault);
  const { webhook } = await webhooks.add('hall', { url: 'http://127.0.0.1:1/', active: true });
  const [stored, forgotten] = [testSighting(), testSighting()];
  await vault.recordSighting(stored);
  webhooks.publish(stored);
  webhooks.publish(forgotten);
  // A change breaks off what is under way and gives up what waits.
  const changed = await webhooks.change('hall', webhook.id, { url: receiver.url, active: true }, webhook.version);
  const letters = webhooks.deadLetters('hall', webhook.id);
  expect(letters.map(({ sightingId }) => sightingId).sort()).toEqual([stored.id, forgotten.id].sort());
  expect(Object.keys(letters[0] ?? {}).sort()).toEqual(['attempts', 'givenUpAt', 'id', 'phase', 'reason', 'sightingId']);
  expect(await webhooks.redeliver('hall', webhook.id)).toBe(1);
  await receiver.calls(1);
  expect(JSON.parse(String(receiver.received[0]?.body))).toEqual({
    id: letters.find(({ sightingId }) => sightingId === stored.id)?.id,
    event: 'sighting',
    sighting: stored,
  });
  expect(webhooks.deadLetters('hall', webhook.id)).toEqual([]);
  await expect(webhooks.change('hall', webhook.id, { url: receiver.url, active: false }, webhook.version)).rejects.toThrow(
    refusal('version_conflict'),
  );
  const paused = await webhooks.change('hall', webhook.id, { url: receiver.url, active: false }, changed.version);
  webhooks.publish(testSighting());
  await expect(webhooks.redeliver('hall', webhook.id)).rejects.toThrow(refusal('conflict'));
  await webhooks.remove('hall', webhook.id, paused.version);
  expect(webhooks.list('hall')).toEqual([]);
  expect(receiver.received).toHaveLength(1);
});

test('what waits and what was given up outlives a stop, under the same ids', async () => {
  let answering = false;
  const receiver = await webhookReceiver((response) => {
    if (answering) response.end();
  });
  const vault = await openVault();
  const before = await startWebhooks(vault);
  const { webhook } = await before.add('hall', { url: receiver.url, active: true });
  const buried = testSighting();
  // More than one page of them.
  const waiting = [testSighting({ phase: 'begun' }), ...Array.from({ length: 250 }, () => testSighting())];
  for (const sighting of [buried, ...waiting]) await vault.recordSighting(sighting);
  before.publish(buried);
  await receiver.calls(1);
  await before.change('hall', webhook.id, { url: receiver.url, active: true });
  // The sighting of the last one was never stored.
  for (const sighting of [...waiting, testSighting()]) before.publish(sighting);
  await receiver.calls(2);
  const letters = before.deadLetters('hall', webhook.id);
  expect(letters.map(({ sightingId }) => sightingId)).toEqual([buried.id]);
  await before.stop();

  answering = true;
  const after = await startWebhooks(vault);
  expect(after.deadLetters('hall', webhook.id)).toEqual(letters);
  await receiver.calls(2 + waiting.length);
  const [, cutOff, ...arrived] = receiver.received.map(({ body }) => JSON.parse(String(body)));
  expect(arrived[0]).toEqual(cutOff);
  expect(arrived.map(({ sighting }) => sighting)).toEqual(waiting);
  await expect.poll(() => kept(vault), POLL).toMatchObject([{ entries: [{ id: letters[0]?.id, givenUp: { attempts: 1 } }] }]);
  await after.stop();

  const again = await startWebhooks(vault);
  expect(await again.redeliver('hall', webhook.id)).toBe(1);
  await receiver.calls(3 + waiting.length);
  expect(receiver.received.at(-1)?.headers['securegate-delivery'], 'and nothing that had arrived').toBe(letters[0]?.id);
  await expect.poll(() => kept(vault), POLL).toEqual([]);
});

test('what waits outlives a crash, says nothing of a person, and goes with its webhook', async () => {
  const stalled = await webhookReceiver(() => undefined);
  const vault = await openVault();
  const crashed = await startWebhooks(vault);
  const { webhook } = await crashed.add('hall', { url: stalled.url, active: true });
  const sighting = testSighting();
  await vault.recordSighting(sighting);
  crashed.publish(sighting);
  await expect.poll(() => kept(vault), POLL).toHaveLength(1);
  await stalled.calls(1);
  const id = stalled.received[0]?.headers['securegate-delivery'];
  const entry = { id, sightingId: sighting.id, phase: 'ended', endedAt: sighting.endedAt, tried: null, givenUp: null };
  expect(await kept(vault)).toEqual([{ webhook: webhook.id, page: 0, entries: [entry] }]);
  const after = await startWebhooks(vault);
  await stalled.calls(2);
  expect(stalled.received[1]?.headers['securegate-delivery']).toBe(id);
  await after.remove('hall', webhook.id);
  expect(await kept(vault)).toEqual([]);
});

test('a message that waits over a restart goes on with its attempts, no sooner than it would have', async () => {
  const receiver = await webhookReceiver((response) => response.writeHead(503).end());
  const vault = await openVault();
  const before = await startWebhooks(vault);
  const { webhook } = await before.add('hall', { url: receiver.url, active: true });
  const sighting = testSighting();
  await vault.recordSighting(sighting);
  before.publish(sighting);
  await receiver.calls(3);
  await before.stop();
  const made = receiver.received.length;
  const [{ entries }] = (await kept(vault)) as [{ entries: { tried: { attempts: number; nextAt: string } }[] }];
  const { attempts, nextAt } = entries[0]?.tried ?? { attempts: 0, nextAt: '' };
  // The last one may have been broken off by the stop: then it counts for nothing.
  expect([made - 1, made]).toContain(attempts);

  const after = await startWebhooks(vault);
  await receiver.calls(made + 1);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(nextAt));
  await after.stop();
  // All but the last of its attempts were made somewhere else.
  const [record] = (await vault.listRecords('webhook-deliveries', { limit: 1 })).items;
  const page = record?.data as { entries: { tried: object }[] };
  const due = { attempts: 7, nextAt: new Date().toISOString() };
  await vault.changeRecord('webhook-deliveries', record?.id ?? '', { ...page, entries: [{ ...page.entries[0], tried: due }] });
  const last = await startWebhooks(vault);
  await expect.poll(() => last.deadLetters('hall', webhook.id), POLL).toMatchObject([{ attempts: 8, reason: '503' }]);
}, 60_000);

test('an entry that a crash left in two pages comes once, and a log without its webhook goes', async () => {
  const receiver = await webhookReceiver((response) => response.end());
  const vault = await openVault();
  const before = await startWebhooks(vault);
  const { webhook } = await before.add('hall', { url: receiver.url, active: true });
  await before.stop();
  const [first, second] = [testSighting(), testSighting()];
  for (const sighting of [first, second]) await vault.recordSighting(sighting);
  const entries = [first, second].map(({ id, phase, endedAt }, index) => ({
    id: `dlv_${index}`,
    sightingId: id,
    phase,
    endedAt,
    givenUp: null,
  }));
  await vault.addRecord('webhook-deliveries', { webhook: webhook.id, page: 0, entries: entries.slice(0, 1) });
  await vault.addRecord('webhook-deliveries', { webhook: webhook.id, page: 1, entries });
  await vault.addRecord('webhook-deliveries', { webhook: newId('record'), page: 0, entries });
  await startWebhooks(vault);
  await receiver.calls(2);
  await expect.poll(() => kept(vault), POLL).toEqual([]);
  expect(receiver.received.map(({ headers }) => headers['securegate-delivery'])).toEqual(['dlv_0', 'dlv_1']);
});

test("no webhook leads into the venue's network, unless the operator allows it", async () => {
  const webhooks = await startWebhooks(await openVault(), false);
  await expect(webhooks.add('hall', { url: 'https://192.168.1.1/', active: true })).rejects.toThrow(refusal('webhook_target_refused'));
  const { webhook } = await webhooks.add('hall', { url: 'https://hooks.example.com/', active: false });
  await expect(webhooks.change('hall', webhook.id, { url: 'http://hooks.example.com/', active: false })).rejects.toThrow(
    refusal('webhook_target_refused'),
  );
  expect(webhooks.get('hall', webhook.id).url).toBe('https://hooks.example.com/');
});

test('a tenant has no more webhooks than it can have', async () => {
  const webhooks = await startWebhooks(await openVault());
  const wanted = Array.from({ length: 20 }, (_, index) =>
    webhooks.add('hall', { url: `https://hooks.example.com/${index}`, active: false }),
  );
  const outcomes = await Promise.allSettled(wanted);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
});
