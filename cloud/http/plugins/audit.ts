import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { prepareProblem } from '../../../shared/http/problems.ts';
import { idSchema, principalIdSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import type { Audit } from '../../audit/audit.ts';
import type { OperationName } from '../../iam/operations.ts';
import { subjectOf } from './access.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
const REFUSALS = new Set([401, 403]);
const targetSchema = z.union([principalIdSchema, idSchema('box'), idSchema('enrolmentToken'), idSchema('record'), ulidSchema]);

/** Writes down every change and every refusal before it is answered; where that fails, the answer is an error. */
export function addAudit(api: HttpApi, audit: Audit, now: () => number): void {
  const record = async (operation: OperationName, request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> => {
    const { org, tenant } = subjectOf(request);
    const entry = {
      at: now(),
      request: request.id,
      actor: request.account?.id ?? '',
      operation,
      org: slugOrNothing(org),
      tenant: slugOrNothing(tenant),
      target: targetOf(request, reply.getHeader('location')),
      outcome: request.refusal ?? 'done',
      evidence: '',
    };
    try {
      await audit.record(entry);
      return undefined;
    } catch (cause) {
      // An error that a hook of this kind throws would be answered as it is, with its text.
      const failure = new SecureGateError('storage_failed', 'The audit log cannot be written', { cause });
      request.log.error({ requestId: request.id, err: failure }, 'a request is not answered: the audit log cannot be written');
      return JSON.stringify(prepareProblem(request, reply, failure));
    }
  };
  api.addHook('onSend', (request, reply, payload, done) => {
    const { operation } = request.route.config;
    const isRead = READING.has(request.method) && !REFUSALS.has(reply.statusCode);
    if (isRead || operation === undefined || operation === 'open') done(null, payload);
    else record(operation, request, reply).then((instead) => done(null, instead ?? payload), done);
  });
}

/** Of what was made, the address that is answered; otherwise whom the path names. */
function targetOf({ params }: FastifyRequest, location: unknown): string {
  if (typeof location === 'string') return location.slice(location.lastIndexOf('/') + 1);
  const { id } = (params ?? {}) as { readonly id?: string };
  return targetSchema.safeParse(id).data ?? '';
}

/** A path can hold any text, which is refused then; the log takes ids alone. */
function slugOrNothing(text: string | undefined): string {
  return slugSchema.safeParse(text).data ?? '';
}
