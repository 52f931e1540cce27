import { SecureGateError } from '../errors/securegate-error.ts';

/** What the client of the object store throws, as far as it is looked at. */
interface StoreFailure {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Name of the error and status of the answer; 0 where there was none. */
export function failureOf(error: unknown): { readonly name: string; readonly status: number } {
  const { name, $metadata } = error as StoreFailure;
  return { name: typeof name === 'string' ? name : 'Error', status: $metadata?.httpStatusCode ?? 0 };
}

/**
 * What went wrong at the object store, in words of this program: what another try may mend is `bucket_unavailable`.
 * The error itself holds the whole request, and is left behind.
 */
export function asBucketError(error: unknown): SecureGateError {
  if (error instanceof SecureGateError) return error;
  const { name, status } = failureOf(error);
  const message = String((error as StoreFailure).message ?? '').slice(0, 500);
  const isPassing = status === 0 || status === 409 || status === 429 || status >= 500;
  const code = isPassing && status !== 501 ? 'bucket_unavailable' : 'bucket_refused';
  const words = code === 'bucket_unavailable' ? 'The object store does not answer as it should' : 'The object store refuses';
  return new SecureGateError(code, `${words}: ${message || name}`, { details: { reason: name, status } });
}
