import { ERROR_CODES, type ErrorCode } from './codes.ts';

export interface SecureGateErrorOptions {
  readonly cause?: unknown;
  /** Facts for the reader of the error; never a secret, a name, a picture or an embedding. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error type of the product: `code` is stable, `message` is for people, `cause` keeps what lay below. */
export class SecureGateError extends Error {
  override readonly name = 'SecureGateError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SecureGateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** HTTP status of this error where it reaches a client. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  /** What the reader should do next. */
  get next(): string {
    return ERROR_CODES[this.code].next;
  }

  /** The form that crosses process boundaries and reaches programs. */
  toJSON(): { code: ErrorCode; message: string; next: string; details: Readonly<Record<string, unknown>> } {
    return { code: this.code, message: this.message, next: this.next, details: this.details };
  }

  /** Rebuilds an error that crossed a process boundary. */
  static fromJSON(json: { code: string; message: string; details?: Readonly<Record<string, unknown>> }): SecureGateError {
    const code = Object.hasOwn(ERROR_CODES, json.code) ? (json.code as ErrorCode) : 'internal';
    return new SecureGateError(code, json.message, { details: json.details ?? {} });
  }

  /** Any thrown value as a SecureGateError; what is not one already becomes `fallback` with its cause kept. */
  static from(error: unknown, fallback: ErrorCode = 'internal'): SecureGateError {
    if (error instanceof SecureGateError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new SecureGateError(fallback, message, { cause: error });
  }
}
