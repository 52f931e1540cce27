import type { LeaseAnswer } from '../../../shared/lease/lease-answer.ts';
import type { LeaseCarrier } from '../lease-carrier.ts';
import type { Requests } from './requests.ts';

/** The KMS of the control plane, over the link. */
export class LinkLeaseCarrier implements LeaseCarrier {
  readonly #requests: Pick<Requests, 'ask'>;

  constructor(requests: Pick<Requests, 'ask'>) {
    this.#requests = requests;
  }

  async challenge(): Promise<string> {
    return (await this.#requests.ask({ kind: 'lease-challenge' }, 'challenge')).nonce;
  }

  async export(request: string): Promise<LeaseAnswer> {
    return (await this.#requests.ask({ kind: 'lease-export', request }, 'lease')).answer;
  }

  async acknowledgeMove(token: string): Promise<void> {
    await this.#requests.ask({ kind: 'lease-moved', token }, 'move-noted');
  }
}
