import { type SubmitEvent, useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';
import { newConsentDraft, toConsent } from './consent-draft.ts';
import { ConsentFields } from './consent-fields.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function RecordConsent({ tenant, customer, onClose, onChanged }: Props) {
  const { noticeVersion, purpose } = customer.consent;
  const [draft, setDraft] = useState(() => ({ ...newConsentDraft(), noticeVersion, purpose }));
  const { busy, problem, run } = useAction();
  const say = useSay();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { agreedAt } = draft;
    if (agreedAt === null) return;
    void run(async () => {
      await people.recordConsent(tenant, customer.id, toConsent(draft, agreedAt));
      say('The consent is recorded.');
      onClose();
      onChanged();
    });
  };
  return (
    <Dialog title={`New consent of ${customer.name}`} onClose={onClose}>
      <form onSubmit={submit}>
        <ConsentFields draft={draft} onDraft={setDraft} />
        {problem && <ProblemNotice problem={problem} />}
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Working…' : 'Record'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
