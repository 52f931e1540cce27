import type { OpenAPIV3_1 } from 'openapi-types';
import { webhookMessageSchema } from '../../../shared/messages/webhook-message.ts';

const CALL = `Sent to each active webhook of a tenant: for somebody known when the sighting begins (\`phase\` \`begun\`) and again under the same \`sighting.id\` when it is over (\`ended\`), for everybody else once, when it is over. The message names nobody: a key that may read people asks for the \`customerId\`.
Answer with 2xx within 10 seconds, and work afterwards. Every other answer is a failure, a redirect too. A message is sent up to 8 times, with pauses of up to 1, 2, 4 … 64 seconds between (at least half of that, at random); then it is given up and stands under \`dead-letters\`. The messages of a webhook come one after the other; where more than 1000 wait, the oldest is given up. What waits outlives a restart of the box.
A message can come more than once: drop what has an \`id\` that was here before.`;

const SIGNATURE = `\`t=<seconds since the Unix epoch>,v1=<hex>\`, made anew for every attempt. \`v1\` is the HMAC-SHA256 of \`<t>.<body>\`, the body being the bytes as they came; its key is the text of the webhook's \`secret\`, with the \`whsec_\`. Compare in constant time, and refuse a \`t\` that is more than five minutes away from your clock.`;

const MESSAGE = { $ref: `#/components/schemas/${webhookMessageSchema.meta()?.id}` };

/** The one call that the box makes itself, for those who write its receiver. */
export const WEBHOOK_CALL: OpenAPIV3_1.PathItemObject = {
  post: {
    summary: 'A sighting, as the receiver of a webhook gets it',
    description: CALL,
    tags: ['webhooks'],
    parameters: [
      { in: 'header', name: 'securegate-signature', required: true, description: SIGNATURE, schema: { type: 'string' } },
      { in: 'header', name: 'securegate-delivery', required: true, description: 'The `id` of the body.', schema: { type: 'string' } },
    ],
    requestBody: { required: true, content: { 'application/json': { schema: MESSAGE } } },
    responses: { '2XX': { description: 'Taken; nothing else of the answer is read' } },
  },
};
