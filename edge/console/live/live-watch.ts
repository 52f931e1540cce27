import { BackOff } from '../../../shared/runtime/back-off.ts';
import { ProblemError } from '../api/problem-error.ts';
import { send } from '../api/request.ts';
import type { Problem } from '../api/types.ts';
import type { LiveMessage } from './live-message.ts';
import { readLiveMessages } from './read-live-messages.ts';

export type WatchState = { readonly kind: 'connecting' } | { readonly kind: 'open' } | { readonly kind: 'away'; readonly problem: Problem };

/** A stream that sends nothing for so long is opened anew; the box shows at least every 15 seconds that it lives. */
const SILENCE_MS = 40_000;

/** Reads a live stream, and opens it again, ever less eagerly, whenever it breaks off. */
export class LiveWatch {
  readonly #path: string;
  readonly #onMessage: (message: LiveMessage) => void;
  readonly #onState: (state: WatchState) => void;
  readonly #backOff = new BackOff(500, 15_000);
  #abort: AbortController | undefined;
  #timer: number | undefined;

  constructor(path: string, onMessage: (message: LiveMessage) => void, onState: (state: WatchState) => void) {
    this.#path = path;
    this.#onMessage = onMessage;
    this.#onState = onState;
  }

  /** Opens the stream, at once also where it was about to wait. */
  start(): void {
    this.#onState({ kind: 'connecting' });
    this.#open();
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = undefined;
  }

  #open(): void {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    void this.#watch(abort);
  }

  /** What was said of a broken stream stays until it is open again: it must not come and go with every try. */
  async #watch(stop: AbortController): Promise<void> {
    const silence = new AbortController();
    const heard = (): void => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => silence.abort(), SILENCE_MS);
    };
    let error: unknown;
    try {
      heard();
      const { body } = await send('GET', this.#path, { signal: AbortSignal.any([stop.signal, silence.signal]) });
      if (stop.signal.aborted) return;
      this.#onState({ kind: 'open' });
      if (body !== null) {
        for await (const message of readLiveMessages(chunksOf(body, heard))) {
          if (stop.signal.aborted) return;
          this.#backOff.reset();
          this.#onMessage(message);
        }
      }
    } catch (thrown) {
      error = thrown;
    }
    if (stop.signal.aborted) return;
    window.clearTimeout(this.#timer);
    this.#onState({ kind: 'away', problem: problemOf(error, silence.signal.aborted) });
    this.#timer = window.setTimeout(() => this.#open(), this.#backOff.next());
  }
}

/** Safari cannot iterate over a stream yet. */
async function* chunksOf(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

function problemOf(error: unknown, silent: boolean): Problem {
  const { problem } = ProblemError.from(error);
  if (silent) return { ...problem, code: 'silent', title: 'The box is silent', detail: 'It has sent nothing for a while.', next: '' };
  if (error === undefined) return { ...problem, code: 'closed', title: 'Stream ended', detail: 'The box has ended the stream.', next: '' };
  return problem;
}
