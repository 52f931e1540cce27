import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { MESSAGES_PATH, upChannelSchema } from '../../../shared/fleet/waiting.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import type { Admission } from '../enrolment/admission.ts';
import type { MqttCourier } from '../mqtt-courier.ts';
import type { Mailboxes } from '../relay/mailboxes.ts';
import { shownCertificate } from './shown-certificate.ts';

const TYPE = 'application/octet-stream';
const MOST_BYTES = 256 * 1024;
const TAG = /^"([\w-]{12}\.\d{1,15})"$/;

export interface MessageContext {
  readonly admission: Admission;
  /** Undefined where there is no broker: nobody hears anything then. */
  readonly courier: Pick<MqttCourier, 'relay'> | undefined;
  readonly mailboxes: Mailboxes;
}

/**
 * The link of a box that MQTT does not reach: what it says is brought to the broker in its name, and what the broker has for it waits for it
 * here. So every process of the control plane hears and reaches it as it does the others.
 */
export function addMessageRoutes(api: HttpApi, { admission, courier, mailboxes }: MessageContext): void {
  api.addContentTypeParser(TYPE, { parseAs: 'buffer', bodyLimit: MOST_BYTES }, (_request, body, done) => done(null, body));

  api.get(MESSAGES_PATH, async (request, reply) => {
    const { id } = await admission.admit(shownCertificate(request));
    const [, tag = ''] = TAG.exec(request.headers['if-none-match'] ?? '') ?? [];
    const found = mailboxes.read(id, tag);
    if (found === undefined) return reply.code(304).send();
    return reply.header('etag', `"${found.tag}"`).send(found.content);
  });

  api.post(
    `${MESSAGES_PATH}/:channel`,
    { bodyLimit: MOST_BYTES, schema: { params: z.strictObject({ channel: upChannelSchema }) } },
    async (request, reply) => {
      const { id } = await admission.admit(shownCertificate(request));
      if (courier === undefined) throw new SecureGateError('broker_unavailable', 'The control plane has no broker');
      if (!Buffer.isBuffer(request.body)) throw new SecureGateError('unsupported_media_type', `A message is sent as ${TYPE}`);
      await courier.relay(id, request.params.channel, request.body);
      return reply.code(204).send();
    },
  );
}
