import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DEVICE_STATEMENT_HEADER } from '../../../shared/fleet/device-statement.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import type { Limit } from '../../../shared/http/requests-a-minute.ts';
import type { Enrolments } from '../enrolment/enrolments.ts';
import type { Authorities } from '../pki/authorities.ts';
import { certsOnly } from '../pki/certs-only.ts';
import { shownCertificate } from './shown-certificate.ts';

const REQUEST_TYPE = 'application/pkcs10';
const ANSWER_TYPE = 'application/pkcs7-mime';
const MOST_BYTES = 8192;
/** The token is the password; RFC 7030, 3.2.3 leaves the name open. */
const BASIC = /^basic +([A-Za-z0-9+/=]{1,1024})$/i;

export interface EstContext {
  readonly enrolments: Enrolments;
  readonly authorities: Authorities;
}

/** Enrolment over Secure Transport (RFC 7030), the three operations that a client has to know. */
export function addEstRoutes(api: HttpApi, { enrolments, authorities }: EstContext, limitWrong: Limit): void {
  api.addContentTypeParser(REQUEST_TYPE, { parseAs: 'string', bodyLimit: MOST_BYTES }, (_request, body, done) => done(null, body));
  api.addHook('onSend', async (_request, reply, payload) => {
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Basic realm="enrolment"');
    return payload;
  });

  api.get('/.well-known/est/cacerts', async (_request, reply) => {
    const trusted = await authorities.trusted();
    const all = trusted.flatMap(({ certificate, crossed }) => (crossed === '' ? [certificate] : [certificate, crossed]));
    return reply.header('content-transfer-encoding', 'base64').type(ANSWER_TYPE).send(certsOnly(all));
  });

  api.post('/.well-known/est/simpleenroll', async (request, reply) => {
    try {
      const token = passwordOf(request.headers.authorization);
      const statement = request.headers[DEVICE_STATEMENT_HEADER];
      const content = { token, statement: String(statement ?? ''), request: String(request.body), requestId: request.id };
      return reply
        .header('content-transfer-encoding', 'base64')
        .type(`${ANSWER_TYPE}; smime-type=certs-only`)
        .send(certsOnly([await enrolments.enrol(content)]));
    } catch (error) {
      if (SecureGateError.from(error).status < 500) limitWrong(request);
      throw error;
    }
  });

  api.post('/.well-known/est/simplereenroll', async (request, reply) => {
    const certificate = await enrolments.renew(shownCertificate(request), String(request.body));
    return reply
      .header('content-transfer-encoding', 'base64')
      .type(`${ANSWER_TYPE}; smime-type=certs-only`)
      .send(certsOnly([certificate]));
  });
}

/** @throws {SecureGateError} `unauthenticated` */
function passwordOf(authorization: string | undefined): string {
  const [, encoded] = BASIC.exec(authorization ?? '') ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) throw new SecureGateError('unauthenticated', 'The request carries no enrolment token');
  return text.slice(colon + 1);
}
