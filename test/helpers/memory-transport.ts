import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Courier } from '../../cloud/fleet/courier.ts';
import type { Uplink } from '../../edge/link/uplink.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { DownChannel, UpChannel } from '../../shared/fleet/topics.ts';

type FromBox = Parameters<Parameters<Courier['onMessage']>[0]>;
type ToBox = Parameters<Parameters<Uplink['onMessage']>[0]>;

/** A message on its way. */
export interface Message {
  readonly device: string;
  readonly direction: 'up' | 'down';
  readonly channel: string;
  readonly payload: Buffer;
}

interface Box {
  connected: boolean;
  take: ((...message: ToBox) => Promise<void>) | undefined;
  greet: (() => Promise<void>) | undefined;
}

const PATIENTLY = { timeout: 20_000 };
/** What is on its way at most; what was longest on its way is lost then. */
const MOST_ON_WAY = 64;

/**
 * Both ports of the link in memory: as a broker that brings everything at once, or as one that brings, loses, repeats and reorders
 * messages only as it is told.
 */
export class MemoryTransport {
  /** Whether messages arrive by themselves. */
  prompt: boolean;
  /** Everything that was ever sent. */
  readonly sent: Message[] = [];
  /** What went wrong on a side that took a message: a broker would bring it again and again. */
  readonly failures: unknown[] = [];
  #onWay: Message[] = [];
  /** How many have arrived, and are still at work there. */
  #taken = 0;
  readonly #boxes = new Map<string, Box>();
  /** Those of each process of the control plane: all hear everything. */
  #handlers: ((...message: FromBox) => Promise<void>)[] = [];

  constructor({ prompt = true } = {}) {
    this.prompt = prompt;
  }

  get onWay(): readonly Message[] {
    return this.#onWay;
  }

  /** Whether nothing is on its way, and nobody is at what has arrived. */
  get isQuiet(): boolean {
    return this.#onWay.length === 0 && this.#taken === 0;
  }

  async untilQuiet(): Promise<void> {
    await expect.poll(() => this.isQuiet, PATIENTLY).toBe(true);
  }

  /** Of one process of the control plane. */
  courier(): Courier {
    return {
      send: async (device, channel, payload) => this.#send({ device, direction: 'down', channel, payload }),
      answer: async (device, payload) => this.#send({ device, direction: 'down', channel: 'replies', payload }),
      onMessage: (handler) => void this.#handlers.push(handler),
      kick: async (device) => this.cut(device),
    };
  }

  uplink(device: string): Uplink {
    const box: Box = { connected: false, take: undefined, greet: undefined };
    this.#boxes.set(device, box);
    const publish: Uplink['publish'] = async (channel, payload) => {
      if (!box.connected || this.#boxes.get(device) !== box) throw new Error('not connected');
      this.#send({ device, direction: 'up', channel, payload });
    };
    return {
      publish,
      ask: (payload) => publish('requests', payload),
      onMessage: (handler) => {
        box.take = handler;
      },
      onConnect: (handler) => {
        box.greet = handler;
      },
    };
  }

  async connect(device: string): Promise<void> {
    const box = this.#boxes.get(device);
    if (!box) return;
    box.connected = true;
    await box.greet?.();
  }

  cut(device: string): void {
    const box = this.#boxes.get(device);
    if (box) box.connected = false;
  }

  /** The processes of the control plane are gone. */
  forgetHandlers(): void {
    this.#handlers = [];
  }

  /** Somebody on the way puts a message in. */
  inject(message: Message): void {
    this.#send(message);
  }

  /** Lets a message arrive; where it cannot, it is lost. */
  async deliver(index = 0): Promise<void> {
    const [message] = this.#onWay.splice(index, 1);
    this.#taken += 1;
    try {
      if (message) await this.#hand(message);
    } catch (error) {
      if (SecureGateError.from(error).code !== 'stopped') this.failures.push(error);
    } finally {
      this.#taken -= 1;
    }
  }

  /** Lets the oldest message of a channel arrive, as soon as one is on its way. */
  async deliverNext(channel: string): Promise<void> {
    const next = (): number => this.#onWay.findIndex((message) => message.channel === channel);
    await expect.poll(next, PATIENTLY).not.toBe(-1);
    await this.deliver(next());
  }

  drop(index: number): void {
    this.#onWay.splice(index, 1);
  }

  duplicate(index: number): void {
    const message = this.#onWay[index];
    if (message) this.#onWay.push(message);
  }

  #send(message: Message): void {
    this.sent.push(message);
    this.#onWay.push(message);
    if (this.#onWay.length > MOST_ON_WAY) this.#onWay.shift();
    if (this.prompt) void this.#bring();
  }

  async #bring(): Promise<void> {
    await turn();
    await this.deliver();
  }

  async #hand({ device, direction, channel, payload }: Message): Promise<void> {
    if (direction === 'up') for (const handler of this.#handlers) await handler(device, channel as UpChannel, payload);
    const box = this.#boxes.get(device);
    if (direction === 'down' && box?.connected) await box.take?.(channel as DownChannel, payload);
  }
}
