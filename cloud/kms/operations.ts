import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { SerialByKey } from '../../shared/runtime/serial-by-key.ts';
import type { Audit, AuditEvent } from './audit/audit.ts';
import type { Epochs } from './epochs/epochs.ts';
import type { Moves } from './epochs/moves.ts';
import { verifyEpochMoved } from './epochs/verify-epoch-moved.ts';
import type { Challenges } from './export/challenges.ts';
import type { Exports } from './export/exports.ts';
import { verifyExportRequest } from './export/verify-export-request.ts';
import type { Hsm } from './hsm/hsm.ts';
import { holdersOf } from './orders/holders-of.ts';
import type { Orders } from './orders/orders.ts';
import { type Gives, OPERATIONS, type Operation, schemasOf, type Takes } from './protocol.ts';
import type { Recoveries } from './recovery/recoveries.ts';
import { verifyHandOver } from './recovery/verify-hand-over.ts';
import type { RollbackGuard } from './rollback-guard.ts';
import type { SigningKeys } from './signing/signing-keys.ts';
import type { KmsStore } from './store/open-kms-store.ts';

export interface KmsOperationsOptions {
  readonly hsm: Hsm;
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly epochs: Epochs;
  readonly moves: Moves;
  readonly orders: Orders;
  readonly challenges: Challenges;
  readonly exports: Exports;
  readonly signing: SigningKeys;
  readonly recoveries: Recoveries;
  readonly audit: Audit;
  readonly limits: { readonly epochsPerOrg: number };
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
  readonly logger: Logger;
}

/** Told in one answer. */
const MOST_CELLS = 500;

/** Whom a call is about, as the audit tells it. */
type About = Pick<AuditEvent, 'org' | 'tenant' | 'device' | 'epoch' | 'approvalId' | 'use' | 'count'>;
/** What asks about the KMS itself: it is not written down. */
type Unrecorded = 'status' | 'auditSince';
type Handler<O extends Operation> = (input: Takes<O>, about: (scope: About) => void) => Promise<Gives<O>>;

/** Does what a checked message asks for. Each call is written down before it begins and before it is answered, but for those that ask about the KMS itself. */
export class KmsOperations {
  readonly #options: KmsOperationsOptions;
  /** A key that is being handed out must not be destroyed meanwhile, nor two epochs be made at a time. */
  readonly #byTenant = new SerialByKey();

  constructor(options: KmsOperationsOptions) {
    this.#options = options;
  }

  /** @returns the result in the form in which it travels */
  async run(operation: Operation, input: unknown): Promise<unknown> {
    if (operation === 'status') return await this.#status(parse(OPERATIONS.status.takes, input));
    if (operation === 'auditSince') return this.#options.audit.since(parse(OPERATIONS.auditSince.takes, input).offset);
    const call = this.#options.random(8).toString('hex');
    let scope: About = {};
    const about = (more: About): void => {
      const { org, tenant, device, epoch, approvalId, use, count } = { ...scope, ...more };
      scope = JSON.parse(JSON.stringify({ org, tenant, device, epoch, approvalId, use, count })) as About;
    };
    const record = (phase: AuditEvent['phase'], outcome?: string): void => {
      const at = new Date(this.#options.now()).toISOString();
      this.#options.audit.record({ at, call, phase, operation, hsm: this.#options.hsm.title, ...(outcome ? { outcome } : {}), ...scope });
    };
    record('asked');
    try {
      const result = await this.#handle(operation, input, about);
      record('answered', 'done');
      return result;
    } catch (error) {
      const failure = SecureGateError.from(error);
      if (failure.status >= 500) this.#options.logger.error({ err: failure, operation }, 'a call failed');
      record('answered', failure.code);
      throw failure;
    }
  }

  async #handle<O extends Exclude<Operation, Unrecorded>>(operation: O, input: unknown, about: (scope: About) => void): Promise<unknown> {
    const { takes, gives } = schemasOf(operation);
    const taken = parse(takes, input);
    about(taken as About);
    const handler = this.#handlers[operation] as Handler<O>;
    return z.encode(gives, await handler(taken, about));
  }

  readonly #handlers: { readonly [O in Exclude<Operation, Unrecorded>]: Handler<O> } = {
    pinAdmins: async ({ org, signed }) =>
      await this.#byTenant.run(org, async () => ({ version: (await this.#options.orders.pin(org, signed)).version })),
    getAdmins: async ({ org }) => this.#options.store.adminSets.get(org),
    createEpoch: async (cell) => {
      const { store, limits, epochs, now } = this.#options;
      store.adminSets.get(cell.org);
      store.rates.take(`epochs/${cell.org}`, limits.epochsPerOrg, now());
      await this.#ofTenant(cell, () => epochs.create(cell));
      return {};
    },
    listEpochs: async ({ org, tenant }) =>
      this.#options.epochs.list(org, tenant).map(({ state, destroyedAt, ...cell }) => {
        return { epoch: cell.epoch, state, leftFrom: this.#options.store.moves.begunAt(cell) ?? null, destroyedAt };
      }),
    getMove: async (cell) => {
      const { begunAt, deadline, boxes } = this.#options.moves.get(cell);
      return { begunAt, deadline, boxes: [...boxes], destruction: this.#options.epochs.destruction(cell) };
    },
    listLostBoxes: async (cell) => this.#options.moves.lost(cell),
    listLeft: async () =>
      this.#options.moves
        .left()
        .slice(0, MOST_CELLS)
        .map(({ org, tenant, epoch }) => ({ org, tenant, epoch })),
    acknowledgeMove: async ({ token }, about) => {
      const { orders, moves } = this.#options;
      const moved = await verifyEpochMoved(token);
      about(moved);
      await this.#ofTenant(moved, async () => {
        await orders.assignmentOf(moved, 'move_rejected');
        await moves.acknowledge(moved, moved.device);
      });
      return {};
    },
    destroyEpoch: (cell) => this.#ofTenant(cell, () => this.#options.epochs.destroy(cell)),
    freezeTenant: ({ org, tenant, id }) => {
      const { store, guard, now } = this.#options;
      return this.#ofTenant({ org, tenant }, async () => ({
        begunAt: await guard.change(() => store.freezes.begin(org, tenant, id, now())),
      }));
    },
    endFreeze: ({ org, tenant, id }) => {
      const { store, guard, now } = this.#options;
      return this.#ofTenant({ org, tenant }, async () => {
        await guard.change(() => store.freezes.end(org, tenant, id, now()));
        return {};
      });
    },
    listHolders: async ({ org, tenant, before }) => holdersOf(this.#options.store.assignments.everOf(org, tenant), before),
    destroyTenant: ({ org, tenant }) => this.#ofTenant({ org, tenant }, () => this.#options.epochs.destroyTenant(org, tenant)),
    assign: async ({ assignment }, about) => {
      const { id, org, tenant, device } = await this.#options.orders.assign(assignment);
      about({ org, tenant, device });
      return { id, org, tenant, device };
    },
    assignedTenants: async ({ org, device }) => this.#options.store.assignments.tenantsOf(org, device),
    endAssignment: async ({ org, tenant, device }) => {
      const { store, guard, now } = this.#options;
      return { ended: await guard.change(() => store.assignments.end(org, tenant, device, now())) };
    },
    denyDevice: async ({ device }) => {
      const { store, guard, now } = this.#options;
      await guard.change(() => store.denials.denyDevice(device, now()));
      return {};
    },
    challenge: async () => ({ nonce: this.#options.challenges.give() }),
    exportTek: async (input, about) => {
      const request = await verifyExportRequest(input.request);
      about(request);
      const { orders, exports } = this.#options;
      const approval = input.approval === undefined ? undefined : await orders.approvalOf(request.org, request.hash, input.approval);
      if (approval) about({ approvalId: approval.id });
      return await this.#ofTenant(request, () => exports.export(request, approval));
    },
    signedAdmins: async ({ org }) => this.#options.store.adminSets.signed(org),
    listLostKeys: ({ org }) => this.#options.recoveries.lost(org),
    draftRecovery: ({ org }) => this.#byTenant.run(org, () => this.#options.recoveries.draft(org)),
    takeOver: async (input, about) => {
      const handOver = await verifyHandOver(input.handOver);
      const { org, tenant, device, epoch, recovery: approvalId } = handOver;
      about({ org, tenant, device, epoch, approvalId });
      await this.#ofTenant(handOver, () => this.#options.recoveries.takeOver(input.recovery, handOver));
      return { org, tenant, device, epoch };
    },
    endRecovery: async ({ org }) => {
      await this.#byTenant.run(org, () => this.#options.recoveries.end(org));
      return {};
    },
    signingKey: ({ use }) => this.#options.signing.key(use),
    keyHistory: ({ use }) => this.#options.signing.history(use),
    changeKey: ({ use }) => this.#options.signing.change(use),
    sign: async ({ use, messages }, about) => {
      about({ count: messages.length });
      return { signatures: await this.#options.signing.sign(use, messages) };
    },
  };

  async #status(_input: Takes<'status'>): Promise<Gives<'status'>> {
    const { hsm } = this.#options;
    const { title, capabilities } = hsm;
    try {
      await hsm.probe();
      return { ready: true, hsm: title, capabilities, reason: null };
    } catch (error) {
      return { ready: false, hsm: title, capabilities, reason: SecureGateError.from(error).code };
    }
  }

  async #ofTenant<T>({ org, tenant }: { org: string; tenant: string }, work: () => Promise<T>): Promise<T> {
    return await this.#byTenant.run(`${org}/${tenant}`, work);
  }
}

/** Says which field is wrong and how, never what was in it. */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, code }) => ({ field: path.join('.'), problem: code }));
  throw new SecureGateError('invalid_request', 'A request to the KMS is not valid', { details: { fields } });
}
