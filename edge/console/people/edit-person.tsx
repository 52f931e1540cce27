import { type SubmitEvent, useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function EditPerson({ tenant, customer, onClose, onChanged }: Props) {
  const [name, setName] = useState(customer.name);
  const [contact, setContact] = useState(customer.contact ?? '');
  const { busy, problem, run } = useAction();
  const say = useSay();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(async () => {
      await people.change(tenant, customer, { name: name.trim(), contact: contact.trim() || null });
      say('Saved.');
      onClose();
      onChanged();
    });
  };
  return (
    <Dialog title="Edit" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name">
          {(control) => (
            <input
              {...control}
              required
              maxLength={200}
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Contact">
          {(control) => (
            <input {...control} maxLength={500} autoComplete="off" value={contact} onChange={(event) => setContact(event.target.value)} />
          )}
        </Field>
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
