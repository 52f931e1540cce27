import type { KmsClient } from '../kms/client.ts';

/** A KMS that is asked nothing twice, for whoever looks at many things of one tenant at one moment. What it does must not be asked for this way. */
export function askOnce(kms: Pick<KmsClient, 'call'>): Pick<KmsClient, 'call'> {
  const answers = new Map<string, Promise<unknown>>();
  const call = (...asked: Parameters<KmsClient['call']>): Promise<unknown> => {
    const question = JSON.stringify(asked);
    const answer = answers.get(question) ?? kms.call(...asked);
    answers.set(question, answer);
    return answer;
  };
  return { call: call as KmsClient['call'] };
}
