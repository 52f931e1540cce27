import { writeFile } from 'node:fs/promises';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import type { Prepared } from '../../demo/prepare.ts';
import type { DrillOptions } from '../harness/judge-drill.ts';
import { requireThat } from '../harness/not-held.ts';
import { within } from '../harness/within.ts';
import type { Loot, ReadCustomer } from './attack/attack.ts';
import { checkReceipts } from './check-receipts.ts';
import { copyEverything } from './copy-everything.ts';
import { Interruptions } from './interruptions.ts';
import { runAttack } from './run-attack.ts';
import { ORG, SHREDDED, SPARED, Stack } from './stack.ts';
import { type Step, Steps } from './steps.ts';

const PATIENCE_MS = 120_000;
/** The control plane answers a program ten times a second, not more. */
const LOOK_EVERY_MS = 500;

/** What was measured; what the drill did not come to is not there. */
export interface ShredResult {
  readonly steps: readonly Step[];
  recoverable?: boolean;
  customerRecoverable?: boolean;
  tenantBInterrupted?: boolean;
  /** Boxes' signed words in receipts that hold. */
  receipts?: number;
  auditVerified?: boolean;
  /** Kept leases for which the living TPM of the far box gave out the key, before the shred and after it, of all that were found then; null where there is no swtpm. */
  tpm?: { readonly before: TpmCount; readonly after?: TpmCount } | null;
}

interface TpmCount {
  readonly sealed: number;
  readonly opened: number;
}

/**
 * Shreds a tenant and erases a customer of another, and has a program of its own attack copies of everything, before and after.
 * A step that fails ends it: the result says how far it came.
 */
export async function runShredDrill(prepared: Prepared, { say, signal }: DrillOptions): Promise<ShredResult> {
  const steps = new Steps(say, signal);
  const stack = new Stack(prepared);
  const result: ShredResult = { steps: steps.done };
  let interruptions: Interruptions | undefined;
  try {
    await steps.take('provision', () => stack.provision());
    await steps.take('enrol', () => stack.enrol());
    const { cloud, near, far, boxes } = stack;
    if (!far.tpm) say('there is no swtpm here: both boxes keep their leases in memory');
    await steps.take('recognise', () => stack.recognise());
    interruptions = new Interruptions(boxes, SPARED);
    interruptions.start();
    await steps.take('audit', async () => requireThat(await verifyAudit(stack), 'the log of before does not verify'));
    await steps.take('cut the far box off', () => cutOff(stack));
    const [before, after] = [stack.path('copies-before'), stack.path('copies-after')];
    await steps.take('copy everything', () => copyEverything(cloud.folder, boxes, before));
    const erased = far.guests.filter(({ tenant }) => tenant === SPARED)[0]?.name ?? '';
    const ids = boxes.map((box) => box.idOf(erased));
    await steps.take('attack before', async () => {
      const loot = await runAttack(cloud, [before], far.tpm);
      say(told(loot));
      requireAllRead(loot, stack);
      result.tpm = far.tpm ? { before: tpmCount(loot) } : null;
      requireThat(
        !loot.tpm || loot.tpm.opened > 0,
        'the living TPM opens no lease of its box: that it opens none afterwards proves nothing',
      );
    });

    const shred = await steps.take('shred a tenant', async () => {
      const id = await stack.shred(SHREDDED);
      await within(
        PATIENCE_MS,
        'the near box erases it',
        async () => /erased|unrecoverable/.test((await stack.shredOn(id, near)) ?? '') || undefined,
      );
      return id;
    });
    const erasure = await steps.take('erase a customer of the other', async () => {
      const id = await stack.erase(SPARED, ids);
      await until('the near box erases him', async () => (await stack.erasureOn(id, near)) === 'erased' || undefined);
      return id;
    });
    await steps.take('attack while the far box is away', async () => {
      const loot = await runAttack(cloud, [before]);
      say(told(loot));
      result.recoverable = reads(loot, SHREDDED);
      requireThat(!result.recoverable, `something of ${SHREDDED} was read`);
    });
    await steps.take('its lease ends', async () => {
      requireThat((await stack.shredOn(shred, far)) !== 'erased', 'the far box has heard of the shred');
      await until('it closes the tenant by itself', async () => (await far.lease(SHREDDED))?.state !== 'ready' || undefined);
    });
    await steps.take('connect the far box', async () => {
      await far.joinNetwork();
      await until('it removes the tenant', async () => (await stack.shredOn(shred, far)) === 'unrecoverable' || undefined);
      await until('it erases the customer', async () => (await stack.erasureOn(erasure, far)) === 'erased' || undefined);
    });
    await steps.take('move the other tenant to its next key', () => moveEpoch(stack));
    await steps.take('attack after', async () => {
      await copyEverything(cloud.folder, boxes, after);
      const loot = await runAttack(cloud, [before, after], far.tpm);
      say(told(loot));
      result.recoverable = reads(loot, SHREDDED);
      if (result.tpm) result.tpm = { ...result.tpm, after: tpmCount(loot) };
      // Its clock is in the way as well by now: without the counter, who stops the clock would have the key.
      requireThat(!loot.tpm || loot.tpm.refused.counter === loot.sealedByTpm, 'the TPM still has the counter of a lease that was kept');
      const customers = customersOf(loot, SPARED);
      result.customerRecoverable = customers.some(({ id }) => ids.includes(id));
      const others = boxes.flatMap(({ guests }) => guests.filter(({ tenant, name }) => tenant === SPARED && name !== erased));
      requireThat(
        others.every(({ customerId, name }) => isRead(customers, customerId, name)),
        'the attack does not read who is still there: it proves nothing',
      );
    });
    await steps.take('receipts', async () => {
      result.receipts = await checkReceipts(stack, shred, erasure);
      requireThat(result.receipts === 2 * boxes.length, 'a word of a box is missing');
    });
    await steps.take('audit after', async () => {
      result.auditVerified = await verifyAudit(stack);
    });
    await steps.take('the other tenant goes on', async () => {
      for (const box of boxes) await stack.recognised(box, SPARED, box.box.daemon.events.length);
    });
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await interruptions?.stop();
    // Who interrupts the drill may have ended the boxes with it.
    if (interruptions && !signal.aborted) {
      result.tenantBInterrupted = interruptions.refused.length > 0 || interruptions.answered === 0;
      say(`${SPARED} was answered ${interruptions.answered} times, and refused ${interruptions.refused.length} times`);
      for (const refusal of new Set(interruptions.refused)) say(refusal);
    }
    await stack.stop();
  }
  return result;
}

/** The far box runs on, with all that it holds. */
async function cutOff({ far }: Stack): Promise<void> {
  await far.cutNetwork();
  const { daemon } = far.box;
  await daemon.until('stats', ({ link }) => link?.connected === false, daemon.events.length);
  requireThat((await far.lease(SHREDDED))?.state === 'ready', 'the far box has lost its lease already');
}

/** Has both boxes follow, and the key before destroyed: what opened the erased customer in older copies. */
async function moveEpoch(stack: Stack): Promise<void> {
  await stack.command('cloud', 'keys', 'move', ORG, SPARED);
  const client = await stack.client();
  for (const { device } of stack.boxes) {
    const body = { device, order: { kind: 'renew-lease', body: { tenant: SPARED } } } as const;
    await contentOf(client.POST('/v1/orgs/{org}/commands', { params: { path: { org: ORG } }, body }));
  }
  await until('the key before is destroyed', async () => {
    const path = { org: ORG, tenant: SPARED };
    const { epochs } = await contentOf(client.GET('/v1/orgs/{org}/tenants/{tenant}/keys', { params: { path } }));
    return epochs.some(({ epoch, state }) => epoch === 1 && state === 'destroyed') || undefined;
  });
}

/** Goes on from the head that was seen the last time. */
async function verifyAudit(stack: Stack): Promise<boolean> {
  const key = stack.path('audit-key.json');
  await writeFile(key, await stack.command('audit', 'key'), { flag: 'wx' }).catch(() => undefined);
  const said = await stack.command('audit', 'verify', ORG, '--key', key, '--state', stack.path('audit-state.json'), '--json');
  return (JSON.parse(said) as { verified: boolean }).verified;
}

function requireAllRead(loot: Loot, { boxes }: Stack): void {
  for (const { name: box, guests } of boxes) {
    for (const { tenant, name, customerId } of guests) {
      requireThat(isRead(customersOf(loot, tenant), customerId, name), `the attack does not read a guest of ${tenant} on the ${box} box`);
    }
  }
}

function isRead(customers: readonly ReadCustomer[], id: string, name: string): boolean {
  return customers.some((one) => one.id === id && one.name === name && one.faces > 0);
}

function customersOf(loot: Loot, tenant: string): readonly ReadCustomer[] {
  return loot.tenants.find((one) => one.tenant === tenant)?.customers ?? [];
}

/** Whether anything of it opens. */
function reads(loot: Loot, tenant: string): boolean {
  return loot.tenants.some((one) => one.tenant === tenant && (one.keys > 0 || one.databases > 0 || one.customers.length > 0));
}

function tpmCount({ sealedByTpm, tpm }: Loot): TpmCount {
  return { sealed: sealedByTpm, opened: tpm?.opened ?? 0 };
}

function told(loot: Loot): string {
  const { boxKeys, wrappedKeys, tenantKeys, refused, keys, envelopes, opened, databasesClosed, sealedByTpm, tpm, tenants } = loot;
  const read = tenants.map(({ tenant, customers, databases }) => `${tenant}: ${customers.length} customers, ${databases} databases`);
  return [
    `  it found ${boxKeys} keys of boxes, ${wrappedKeys} wrapped tenant keys and ${sealedByTpm} files of leases that only a TPM opens;`,
    tpm === null
      ? '  it did not ask a TPM;'
      : `  the living TPM opened ${tpm.opened} of them, and refused: ${JSON.stringify(tpm.refused)};`,
    `  the HSM gave it ${tenantKeys} tenant keys, and refused: ${JSON.stringify(refused)};`,
    `  with ${keys} keys it opened ${opened} of ${envelopes} envelopes; ${databasesClosed} databases stayed closed`,
    `  read: ${read.join('; ') || 'nothing'}`,
  ].join('\n');
}

/** @throws {TooSlow} */
async function until(what: string, look: () => Promise<true | undefined>): Promise<void> {
  await within(PATIENCE_MS, what, look, LOOK_EVERY_MS);
}
