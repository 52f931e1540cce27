import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
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
  const say = useSay();
  const record = async (): Promise<void> => {
    if (draft.agreedAt === null) return;
    await people.recordConsent(tenant, customer.id, toConsent(draft, draft.agreedAt));
    say('The consent is recorded.');
    onClose();
    onChanged();
  };
  return (
    <FormDialog title={`New consent of ${customer.name}`} verb="Record" onSubmit={record} onClose={onClose}>
      <ConsentFields draft={draft} onDraft={setDraft} />
    </FormDialog>
  );
}
