/** Longest wait for one answer. */
const PATIENCE_MS = 20_000;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whoever asks says what the answer has to look like
  readonly body: any;
}

/** The API of a box, as its operator uses it. */
export class BoxApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  get(path: string): Promise<Answer> {
    return this.#ask(path, {});
  }

  post(path: string, body: object): Promise<Answer> {
    return this.#ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  }

  postPicture(path: string, picture: Buffer): Promise<Answer> {
    return this.#ask(path, { method: 'POST', body: new Uint8Array(picture), headers: { 'content-type': 'image/jpeg' } });
  }

  remove(path: string): Promise<Answer> {
    return this.#ask(path, { method: 'DELETE' });
  }

  /** Which parts are not ready, as `part: reason`. */
  async unready(): Promise<string[]> {
    const { body } = await this.get('/readyz');
    const parts: { part: string; ready: boolean; reason: string | null }[] = body.parts;
    return parts.filter(({ ready }) => !ready).map(({ part, reason }) => `${part}: ${reason}`);
  }

  /** Lets a stream of server-sent events run until `signal` is aborted. @returns bytes that came */
  async listen(path: string, signal: AbortSignal): Promise<number> {
    let bytes = 0;
    try {
      const answer = await fetch(`${this.#url}${path}`, { headers: this.#authorised, signal });
      for await (const chunk of answer.body ?? []) bytes += chunk.length;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return bytes;
  }

  get #authorised(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }

  async #ask(path: string, request: RequestInit): Promise<Answer> {
    const headers = { ...request.headers, ...this.#authorised };
    const answer = await fetch(`${this.#url}${path}`, { ...request, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }
}
