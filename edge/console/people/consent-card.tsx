import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { useSay } from '../parts/toasts.tsx';
import { consentState } from '../words/consent-state.ts';
import { formatMoment } from '../words/time.ts';
import { RecordConsent } from './record-consent.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onChanged: () => void;
}

/** What a person agreed to, and what that means now. */
export function ConsentCard({ tenant, customer, onChanged }: Props) {
  const [open, setOpen] = useState<'record' | 'withdraw'>();
  const say = useSay();
  const { tone, word, meaning } = consentState(customer);
  const { consent, consentState: state } = customer;
  const close = (): void => setOpen(undefined);
  const withdraw = async (): Promise<void> => {
    await people.withdrawConsent(tenant, customer.id);
    say(`${customer.name} is no longer recognised.`);
    close();
    onChanged();
  };
  return (
    <section className="card" aria-label="Consent">
      <header className="card-head">
        <h3>Consent</h3>
        <StateDot tone={tone}>{word}</StateDot>
      </header>
      <p>{meaning}</p>
      <dl className="facts">
        <dt>Purpose</dt>
        <dd>{consent.purpose}</dd>
        <dt>Notice</dt>
        <dd>{consent.noticeVersion}</dd>
        <dt>Given</dt>
        <dd>{formatMoment(consent.givenAt)}</dd>
        <dt>Holds until</dt>
        <dd>{formatMoment(consent.expiresAt)}</dd>
      </dl>
      <div className="card-do">
        <button type="button" className="button" onClick={() => setOpen('record')}>
          Record a new consent
        </button>
        {state !== 'withdrawn' && (
          <button type="button" className="button button-danger-quiet" onClick={() => setOpen('withdraw')}>
            Withdraw
          </button>
        )}
      </div>
      {open === 'record' && <RecordConsent tenant={tenant} customer={customer} onClose={close} onChanged={onChanged} />}
      {open === 'withdraw' && (
        <ConfirmDialog title={`Withdraw the consent of ${customer.name}?`} verb="Withdraw" onClose={close} onConfirm={withdraw}>
          <p>
            From now on no camera recognises this person. Record and pictures stay until they are removed, or a new consent is recorded.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}
