import { PRIMARY } from './create-primary.ts';
import type { TpmBench } from './tpm.ts';

const SESSION = 'session.ctx';
const KINDS = {
  /** Satisfies a policy. Salted, as `hmac`. */
  policy: ['--policy-session', '-c', PRIMARY],
  /** Only computes a policy. */
  trial: [],
  /** Salted with the primary key: what goes over the wires between processor and TPM is encrypted. */
  hmac: ['--hmac-session', '-c', PRIMARY],
} as const;

/** Opens a session for a piece of work and ends it: a TPM has room for few. The primary key must have been made. */
export async function withSession<T>(bench: TpmBench, kind: keyof typeof KINDS, task: (session: string) => Promise<T>): Promise<T> {
  await bench.run('tpm2_startauthsession', [...KINDS[kind], '-S', SESSION]);
  try {
    return await task(SESSION);
  } finally {
    await bench.run('tpm2_flushcontext', [SESSION]);
  }
}
