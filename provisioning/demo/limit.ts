import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** Rejects when it takes too long, or is to end early. @param late what to say then */
export function limit(signal: AbortSignal, ms: number, late: string): Promise<never> {
  const timeout = AbortSignal.timeout(ms);
  const either = AbortSignal.any([signal, timeout]);
  return new Promise((_, reject) => {
    const end = (): void => {
      reject(timeout.aborted ? new SecureGateError('demo_failed', late) : new SecureGateError('stopped', 'The demo was interrupted'));
    };
    either.addEventListener('abort', end, { once: true });
    if (either.aborted) end();
  });
}
