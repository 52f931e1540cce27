import { type SubmitEvent, useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';
import { type PersonDraft, PersonFields } from './person-fields.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function EditPerson({ tenant, customer, onClose, onChanged }: Props) {
  const [person, setPerson] = useState<PersonDraft>({ name: customer.name, contact: customer.contact ?? '' });
  const { busy, problem, run } = useAction();
  const say = useSay();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(async () => {
      await people.change(tenant, customer, { name: person.name.trim(), contact: person.contact.trim() || null });
      say('Saved.');
      onClose();
      onChanged();
    });
  };
  return (
    <Dialog title="Edit" onClose={onClose}>
      <form onSubmit={submit}>
        <PersonFields draft={person} onDraft={setPerson} />
        {problem && <ProblemNotice problem={problem} />}
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Saving…' : 'Save'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
