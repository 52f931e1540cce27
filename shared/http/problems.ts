import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../errors/codes.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { problemSchema } from './common.ts';
import type { HttpApi } from './http-api.ts';

type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

/** Fastify's own refusals as ours. */
const OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

const OF_TLS = /^ERR_(TLS|SSL)_/;

/** Something outside the box failed, and an address that somebody tried out can hold a password: not for the log. */
const OUTSIDE = 502;

/** Every refusal leaves as problem details (RFC 9457) with our stable code. */
export function addProblems(api: HttpApi): void {
  api.decorateRequest('refusal', undefined);
  api.setNotFoundHandler((request, reply) => sendProblem(request, reply, new SecureGateError('not_found', 'There is no such route')));
  api.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.status >= 500 && refusal.status !== OUTSIDE) {
      request.log.error({ requestId: request.id, err: refusal, code: refusal.code }, 'a request failed');
    }
    return sendProblem(request, reply, refusal);
  });
}

/** For what Fastify refuses before any route: also an address that cannot be decoded. */
export function sendFrameworkProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void sendProblem(request, reply, refusalOf(error));
}

/** For what is not HTTP, or comes too slowly: there is no request yet, just a connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A browser opens connections that it may not need. One that has waited for too long ends without a word: what is said now would be
  // taken for the answer to a request that is just on its way, and a request on a connection that ends is asked again.
  const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  // Without TLS nothing can be told to whoever was to speak it, and an orderly end would wait for it for ever.
  if (isUnused || error.code === 'ECONNRESET' || OF_TLS.test(error.code ?? '') || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const body = JSON.stringify(problemOf(new SecureGateError('invalid_request', 'This is not a whole HTTP request'), ''));
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: SecureGateError): FastifyReply {
  return reply.serializer(JSON.stringify).send(prepareProblem(request, reply, refusal));
}

/** Makes the reply that of a refusal. @returns its body */
export function prepareProblem(request: FastifyRequest, reply: FastifyReply, refusal: SecureGateError): Problem {
  request.refusal = refusal.code;
  const { retryAfterS } = refusal.details;
  if (typeof retryAfterS === 'number') reply.header('retry-after', retryAfterS);
  if (refusal.status === 401) reply.header('www-authenticate', 'Bearer');
  reply.code(refusal.status).type(PROBLEM_TYPE);
  return problemOf(refusal, request.id);
}

function problemOf(refusal: SecureGateError, requestId: string): Problem {
  const { code, status, message, next, details } = refusal;
  const { title } = ERROR_CODES[code];
  // What went wrong inside is for the log: paths, addresses and the like are nobody's business outside.
  const told = status >= 500 ? { detail: title, details: {} } : { detail: message, details };
  return { type: `urn:securegate:problem:${code}`, title, status, ...told, code, next, requestId };
}

function refusalOf(error: FastifyError): SecureGateError {
  if (error instanceof SecureGateError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    // Fields are named, their values are not: they may be a person's.
    const fields = error.validation.map(({ instancePath, message }) => ({
      path: `${error.validationContext ?? 'body'}${instancePath.replaceAll('/', '.')}`,
      message,
    }));
    return new SecureGateError('invalid_request', 'Some fields are not valid', { details: { fields } });
  }
  const code = OF_FASTIFY[error.code];
  if (code !== undefined) return new SecureGateError(code, ERROR_CODES[code].title, { cause: error });
  const isClients = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  if (isClients) return new SecureGateError('invalid_request', 'The request cannot be read', { cause: error });
  return SecureGateError.from(error);
}
