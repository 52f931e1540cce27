import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../edge/runtime/clock.ts';
import type { VaultClient } from '../../edge/vault/client.ts';
import { sign } from '../../edge/webhooks/sign.ts';
import { Webhooks } from '../../edge/webhooks/webhooks.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
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
    logger: createLogger('test', { level: 'silent' }),
  });
  await webhooks.start();
  onTestFinished(() => webhooks.stop());
  await webhooks.open('hall');
  return webhooks;
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
  const seconds = Number(/^t=(\d+),/.exec(String(headers['securegate-signature']))?.[1]);
  expect(headers['securegate-signature']).toBe(sign(Buffer.from(secret), seconds, body));
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
