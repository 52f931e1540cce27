import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { roleOf } from './role-of.ts';

const TOPIC = '$CONTROL/dynamic-security/v1';
export const ANSWERS = `${TOPIC}/response`;
const ANSWER_MS = 10_000;
/** Users in one answer: mosquitto cuts off whom it would send a longer packet than it is allowed to. */
const PAGE = 500;
/** What is as it should be. */
const DONE_BEFORE = ['Client already exists', 'Client not found', 'Role already exists', 'Role not found'];

const answerSchema = z.object({
  responses: z.array(
    z.object({
      command: z.string(),
      correlationData: z.string().optional(),
      error: z.string().optional(),
      data: z.object({ clients: z.array(z.string()).optional() }).optional(),
    }),
  ),
});
type Answer = z.output<typeof answerSchema>['responses'];

/**
 * Who may do what at a mosquitto with its dynamic-security plugin. It knows users, by the names in their certificates, and roles. The
 * plugin is not asked who may connect by a certificate: a user that is disabled would come back with all rights, one that is deleted has none.
 */
export class DynamicSecurity {
  readonly #send: (topic: string, payload: Buffer) => Promise<void>;
  readonly #asked = new Map<string, (answer: Answer) => void>();

  constructor(send: (topic: string, payload: Buffer) => Promise<void>) {
    this.#send = send;
  }

  /** What the broker says on `ANSWERS`. */
  hear(payload: Buffer): void {
    const { data } = answerSchema.safeParse(JSON.parse(payload.toString()));
    for (const { correlationData } of data?.responses.slice(0, 1) ?? []) this.#asked.get(correlationData ?? '')?.(data?.responses ?? []);
  }

  /** All users, its own among them. @throws {SecureGateError} `broker_unavailable` */
  async users(): Promise<Set<string>> {
    const all = new Set<string>();
    for (let offset = 0; ; offset += PAGE) {
      const [answer] = await this.#ask([{ command: 'listClients', count: PAGE, offset }]);
      const clients = answer?.data?.clients ?? [];
      for (const user of clients) all.add(user);
      if (clients.length < PAGE) return all;
    }
  }

  /** Lets a user be a device. @throws {SecureGateError} `broker_unavailable` */
  async letIn(device: string, user: string): Promise<void> {
    await this.#ask([
      { command: 'createRole', ...roleOf(device) },
      { command: 'createClient', username: user, roles: [{ rolename: device }] },
    ]);
  }

  /** Ends the connection of a user as well. @throws {SecureGateError} `broker_unavailable` */
  async shutOut(user: string): Promise<void> {
    await this.#ask([{ command: 'deleteClient', username: user }]);
  }

  async #ask(commands: readonly { readonly command: string; readonly [field: string]: unknown }[]): Promise<Answer> {
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => reject(unavailable('its dynamic-security plugin does not answer')), ANSWER_MS);
    this.#asked.set(id, resolve);
    try {
      const [answer] = await Promise.all([
        promise,
        this.#send(TOPIC, Buffer.from(JSON.stringify({ commands: commands.map((one) => ({ ...one, correlationData: id })) }))),
      ]);
      const { command, error } = answer.find((one) => one.error !== undefined && !DONE_BEFORE.includes(one.error)) ?? {};
      if (error !== undefined) throw unavailable(`it refuses ${command}: ${error}`);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }
}

function unavailable(reason: string): SecureGateError {
  return new SecureGateError('broker_unavailable', `The broker cannot be told who may come in: ${reason}`);
}
