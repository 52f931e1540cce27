import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { type HandedOver, handedOverSchema } from '../../../shared/lease/hand-over.ts';
import { type Recovery, recoverySchema } from '../../../shared/lease/recovery.ts';
import type { VerifiedLog } from '../../audit/verify-log.ts';
import { securegate } from '../../cloud/securegate.ts';
import type { DrillOptions } from '../harness/judge-drill.ts';
import { requireThat } from '../harness/not-held.ts';
import { within } from '../harness/within.ts';
import type { DrillBox } from '../shred/drill-box.ts';
import { Interruptions } from '../shred/interruptions.ts';
import { type Step, Steps } from '../shred/steps.ts';
import { LossStack, ORG, QUORUM, TENANTS } from './loss-stack.ts';
import { loseHsm, startOnNewHsm } from './replace-hsm.ts';

const PATIENCE_MS = 120_000;

/** What was measured; what the drill did not come to is not there. */
export interface HsmLossResult {
  readonly steps: readonly Step[];
  /** Tenants whose keys the new HSM took over. */
  rewrapped?: number;
  refusedWithoutQuorum?: boolean;
  shreddedStayDead?: boolean;
  /** Tenants that nobody brings back. */
  lost?: string[];
  tenantBInterrupted?: boolean;
  auditVerified?: boolean;
}

/** Destroys the HSM of a deployment, and brings over to another one what may come over. A step that fails ends it: the result says how far it came. */
export async function runHsmLossDrill({ say, signal }: DrillOptions): Promise<HsmLossResult> {
  const steps = new Steps(say, signal);
  const stack = new LossStack();
  const result: HsmLossResult = { steps: steps.done };
  let interruptions: Interruptions | undefined;
  try {
    await steps.take('provision', () => stack.provision());
    await steps.take('enrol', () => stack.enrol());
    const { living, shredded, lost } = stack.boxes;
    await steps.take('shred a tenant whose box is away', async () => {
      await shredded.cutNetwork();
      await shredded.box.daemon.until('stats', ({ link }) => link?.connected === false, shredded.box.daemon.events.length);
      await stack.shred(TENANTS.shredded);
    });
    await steps.take('an auditor looks at the log', () => audit(stack));
    await steps.take('a box dies', () => lost.remove());
    interruptions = new Interruptions([living], TENANTS.living);
    interruptions.start();
    await steps.take('lose the HSM', () => loseHsm(stack.cloud));
    await steps.take('start on another one', () => startOnNewHsm(stack.cloud));
    await steps.take('see what is lost', async () => {
      for (const box of [living, shredded]) await stack.trust(box);
      requireThat(isSame(await stack.lost(), [TENANTS.living, TENANTS.lost]), 'other keys are lost than those that lived');
    });
    const recovery = await steps.take('draft a recovery', async () => {
      const draft = (): Promise<string> => stack.command('cloud', 'recovery', 'draft', ORG, '--out', stack.path('recovery.json'), '--json');
      requireThat((await refusalOf(draft())) === 'conflict', 'it names an authority that the boxes cannot find');
      await securegate(['cloud', 'recovery', 'replace-authority', '--config', stack.cloud.config]);
      await draft();
      return recoverySchema.parse(JSON.parse(await readFile(stack.path('recovery.json'), 'utf8')));
    });
    await steps.take('sign it, one key too few', async () => {
      await copyFile(stack.path('recovery.json'), stack.path('one-signature.json'));
      await sign(stack, 'one-signature.json', QUORUM - 1);
      const refusals = [await refusalOf(send(stack, 'one-signature.json')), await refusalOf(handOver(stack, living, 'one-signature.json'))];
      result.refusedWithoutQuorum = refusals.every((code) => code === 'recovery_rejected');
    });
    const renewedBefore = (await living.lease(TENANTS.living))?.renewedAt;
    await steps.take('sign it, and send it: the living box hands its key over', async () => {
      await sign(stack, 'recovery.json', QUORUM);
      const before = await stack.lost();
      await send(stack, 'recovery.json');
      const back = async () => ((await stack.lost()).includes(TENANTS.living) ? undefined : true);
      await within(PATIENCE_MS, 'the key of the living box is there', back, 500);
      result.rewrapped = before.length - (await stack.lost()).length;
    });
    await steps.take('the HSM, too, wants the quorum', async () => {
      await handOver(stack, living, 'recovery.json');
      const handedOver = await readHandedOver(stack, living);
      const signed = JSON.parse(await readFile(stack.path('one-signature.json'), 'utf8')) as HandedOver['recovery'];
      await writeFile(stack.path('too-few.json'), JSON.stringify({ ...handedOver, recovery: signed }));
      const refused = (await refusalOf(takeOver(stack, 'too-few.json'))) === 'recovery_rejected';
      result.refusedWithoutQuorum = result.refusedWithoutQuorum === true && refused;
    });
    await steps.take('offer the key of the tenant that was shredded, with every signature', async () => {
      result.shreddedStayDead = await staysDead(stack, recovery, shredded);
    });
    await steps.take('the living box has its next lease from the new HSM', () => renew(stack, living, renewedBefore));
    await steps.take('end the recovery', async () => {
      await stack.command('cloud', 'recovery', 'end', ORG);
      const told = JSON.parse(await takeOver(stack, `${living.name}-keys.json`)) as { state: string }[];
      requireThat(
        told.every(({ state }) => state === 'there already'),
        'a key was taken over twice',
      );
      result.lost = await stack.lost();
    });
    await interruptions.stop();
    await steps.take('start the living box anew', async () => {
      await living.box.stop();
      await living.box.start();
      await stack.opened(living, TENANTS.living);
      const { body } = await living.box.api.get(`/v1/tenants/${TENANTS.living}/customers?limit=1`);
      requireThat(body.items.length === 1, 'whoever was enrolled before is not there');
    });
    await steps.take('audit', async () => {
      result.auditVerified = await verifyAudit(stack, recovery, living);
    });
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await interruptions?.stop();
    // Who interrupts the drill may have ended the boxes with it.
    if (interruptions && !signal.aborted) {
      result.tenantBInterrupted = interruptions.refused.length > 0 || interruptions.answered === 0;
      say(`${TENANTS.living} was answered ${interruptions.answered} times, and refused ${interruptions.refused.length} times`);
      for (const refusal of new Set(interruptions.refused)) say(refusal);
    }
    await stack.stop();
  }
  return result;
}

/** As the owners of the keys do, when the security officer has looked whether it names keys of the HSM. */
async function sign(stack: LossStack, file: string, keys: number): Promise<void> {
  const { trustConfig, env } = stack.cloud;
  const fingerprint = await securegate(['kms-trust', 'check-recovery', stack.path(file), '--config', trustConfig], { env });
  for (const key of stack.safes.slice(0, keys)) {
    await securegate(['org-keys', 'sign-recovery', stack.path(file), '--key', key, `--fingerprint=${fingerprint}`]);
  }
}

async function send(stack: LossStack, file: string): Promise<string> {
  return await stack.command('cloud', 'recovery', 'send', ORG, stack.path(file), '--json');
}

/** As at a box without a network. */
async function handOver(stack: LossStack, { name, run, box }: DrillBox, file: string): Promise<string> {
  const { api } = box.daemon.events.find((event) => event.type === 'ready') ?? { api: '' };
  const out = stack.path(`${name}-keys.json`);
  return await securegate(['lease', 'hand-over', stack.path(file), '--out', out, '--config', run.config, '--api', api, '--json']);
}

async function readHandedOver(stack: LossStack, { name }: DrillBox): Promise<HandedOver> {
  return handedOverSchema.parse(JSON.parse(await readFile(stack.path(`${name}-keys.json`), 'utf8')));
}

async function takeOver(stack: LossStack, file: string): Promise<string> {
  return await stack.command('cloud', 'recovery', 'take-over', ORG, stack.path(file), '--json');
}

/** The code of the error with which a command ended; undefined where it did what it was told. */
async function refusalOf(command: Promise<unknown>): Promise<string | undefined> {
  try {
    await command;
    return undefined;
  } catch (error) {
    return /"code":\s*"(\w+)"/.exec(String(error))?.[1];
  }
}

/** Its box was away when it was shredded, and still has the key in its memory: it hands that over, and nobody takes it. */
async function staysDead(stack: LossStack, recovery: Recovery, box: DrillBox): Promise<boolean> {
  const named = { ...recovery, tenants: [{ tenant: TENANTS.shredded, epoch: 1 }] };
  await writeFile(stack.path('dead.json'), JSON.stringify(named));
  await sign(stack, 'dead.json', stack.safes.length);
  await handOver(stack, box, 'dead.json');
  requireThat((await readHandedOver(stack, box)).handOvers.length === 1, 'its box did not have the key any more: nothing was tried');
  const destroyed: ErrorCode = 'tenant_destroyed';
  return (await refusalOf(takeOver(stack, `${box.name}-keys.json`))) === destroyed;
}

/** Told by a command that the new HSM signed, over a connection whose certificate its authority signed. */
async function renew(stack: LossStack, box: DrillBox, before: string | null | undefined): Promise<void> {
  const client = await stack.client();
  const body = { device: box.device, order: { kind: 'renew-lease', body: { tenant: TENANTS.living } } } as const;
  await contentOf(client.POST('/v1/orgs/{org}/commands', { params: { path: { org: ORG } }, body }));
  await within(PATIENCE_MS, 'a lease comes from the new HSM', async () => {
    const lease = await box.lease(TENANTS.living);
    return (lease?.state === 'ready' && lease.renewedAt !== before) || undefined;
  });
}

/** Checks the log, from where it was seen the last time. */
async function audit(
  stack: LossStack,
  ...more: string[]
): Promise<Pick<VerifiedLog, 'losses' | 'witnesses'> & { readonly verified: boolean }> {
  const args = ['audit', 'verify', ORG, '--state', stack.path('audit-state.json'), '--json', ...more];
  return JSON.parse(await stack.command(...args));
}

/** The log holds what was done, goes on by the key that the quorum has named, and by no other's word, and the box has seen that it goes on from what it knew. */
async function verifyAudit(stack: LossStack, { id }: Recovery, { device }: DrillBox): Promise<boolean> {
  requireThat((await refusalOf(audit(stack))) === 'recovery_rejected', 'the auditor believes another key on nobody’s word');
  const { verified, losses } = await audit(stack, '--org-keys', stack.orgKeys);
  const isWitness = async () => (await audit(stack)).witnesses.includes(device) || undefined;
  await within(PATIENCE_MS, 'the living box signs the log', isWitness, 2000);
  const call = (await stack.client()).GET('/v1/orgs/{org}/audit', { params: { path: { org: ORG }, query: { limit: 200 } } });
  const { items } = await contentOf(call);
  const outcomes = items.filter(({ operation }) => operation === 'kms.takeOver').map(({ outcome }) => outcome);
  const isFollowed =
    verified &&
    isSame(
      losses.map(({ recovery }) => recovery),
      [id],
    );
  return isFollowed && ['done', 'recovery_rejected', 'tenant_destroyed'].every((outcome) => outcomes.includes(outcome));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.toSorted().join() === other.toSorted().join();
}
