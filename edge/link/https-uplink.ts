import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { DownChannel, UpChannel } from '../../shared/fleet/topics.ts';
import { MESSAGES_PATH, mailboxOf, waitingSchema } from '../../shared/fleet/waiting.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { pause } from '../runtime/pause.ts';
import { refusalIn } from './enrolment/refusal-in.ts';
import { type Answer, type ClientCredentials, sendRequest } from './enrolment/send-request.ts';
import type { Uplink } from './uplink.ts';

/** After it has said something, or was told something: there may be more. */
const ASK_SOON_MS = 1000;
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 300_000;
/** What the control plane keeps for a box has 512 KiB, in base64. */
const MOST_CHARACTERS = 1024 * 1024;

export interface HttpsUplinkOptions {
  /** Of the control plane's server for boxes, with its authorities and the box's certificate: read for each request anew. */
  readonly server: () => { readonly cloud: string; readonly authorities: readonly string[]; readonly credentials: ClientCredentials };
  /** Called when the control plane does not let the box in. */
  readonly onRefused?: () => void;
  /** How often the box asks on the average, where nothing happens. */
  readonly askEveryMs: number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** The box's link to the cloud over HTTPS: it brings what it says, and asks now and then what waits for it. */
export class HttpsUplink implements Uplink {
  readonly #options: HttpsUplinkOptions;
  #problem: string | null = 'not connected yet';
  #connectedAt = 0;
  #stopping: AbortController | undefined;
  #soon = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #onMessage: Parameters<Uplink['onMessage']>[0] = async () => undefined;
  #onConnect: Parameters<Uplink['onConnect']>[0] = async () => undefined;

  constructor(options: HttpsUplinkOptions) {
    this.#options = options;
  }

  /** Why the cloud is out of reach; null while it is not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** For how long it has been connected. */
  get forMs(): number {
    return performance.now() - this.#connectedAt;
  }

  get isAsking(): boolean {
    return this.#stopping !== undefined;
  }

  /** Begins to ask; not twice. */
  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping?.abort();
    await this.#running;
    this.#stopping = undefined;
    this.#problem = 'not connected';
  }

  /** @throws {SecureGateError} `cloud_unavailable`, and the control plane's own */
  async publish(channel: UpChannel, payload: Buffer): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#ask('POST', `${MESSAGES_PATH}/${channel}`, { headers, body: payload });
    this.#soon.abort();
  }

  /** The reply waits in the memory of the control plane until the box asks for it, soon after. */
  async ask(payload: Buffer): Promise<void> {
    await this.publish('requests', payload);
  }

  onMessage(handler: (channel: DownChannel, payload: Buffer) => Promise<void>): void {
    this.#onMessage = handler;
  }

  onConnect(handler: () => Promise<void>): void {
    this.#onConnect = handler;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { askEveryMs, onRefused, random, logger } = this.#options;
    const backOff = new BackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
    let tag = '';
    while (!signal.aborted) {
      let wait: number;
      try {
        const next = await this.#look(tag, signal);
        wait = next === tag ? askEveryMs * (0.5 + random()) : ASK_SOON_MS;
        tag = next;
        backOff.reset();
      } catch (error) {
        if (signal.aborted) return;
        // What was told meanwhile may be lost: with the next answer the box says hello.
        tag = '';
        wait = backOff.next();
        const { code, message } = SecureGateError.from(error);
        if (code === 'device_denied') onRefused?.();
        if (this.#problem !== message) logger.warn({ reason: message }, 'no answer of the control plane over HTTPS');
        this.#problem = message;
      }
      // What is said while there is no answer does not make it come sooner.
      await pause(wait, this.#problem === null ? AbortSignal.any([signal, this.#soon.signal]) : signal);
      if (this.#soon.signal.aborted) {
        this.#soon = new AbortController();
        await pause(ASK_SOON_MS * (0.5 + random()), signal);
      }
    }
  }

  /** @returns the tag of all that has arrived */
  async #look(tag: string, signal: AbortSignal): Promise<string> {
    const headers: Record<string, string> = tag === '' ? {} : { 'if-none-match': tag };
    const { status, etag = '', text } = await this.#ask('GET', MESSAGES_PATH, { headers, signal });
    if (status === 304) return tag;
    const { data } = waitingSchema.safeParse(JSON.parse(text));
    if (data === undefined || etag === '') throw new SecureGateError('cloud_unavailable', 'What answers here is no control plane');
    if (this.#problem !== null) this.#connectedAt = performance.now();
    this.#problem = null;
    // Another mailbox: the control plane has begun anew to keep what it says to this box.
    if (tag === '' || mailboxOf(etag) !== mailboxOf(tag)) await this.#onConnect();
    for (const { channel, payload } of data.messages) await this.#onMessage(channel, Buffer.from(payload, 'base64'));
    return etag;
  }

  async #ask(
    method: string,
    path: string,
    what: { readonly headers: Readonly<Record<string, string>>; readonly body?: Buffer; readonly signal?: AbortSignal },
  ): Promise<Answer> {
    const { cloud, authorities, credentials } = this.#options.server();
    const request = { method, ...what, authorities, credentials, mostCharacters: MOST_CHARACTERS };
    const answer = await sendRequest(new URL(path, cloud), request);
    if (answer.status < 300 || answer.status === 304) return answer;
    throw refusalIn(answer.text) ?? new SecureGateError('cloud_unavailable', `The control plane answered with ${answer.status}`);
  }
}
