import { type SubmitEvent, useState } from 'react';
import type { NewCustomer, Problem } from '../api/types.ts';
import { Field } from '../parts/field.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { newConsentDraft, toConsent } from './consent-draft.ts';
import { ConsentFields } from './consent-fields.tsx';

interface Props {
  readonly verb: string;
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  readonly onPerson: (person: NewCustomer) => void;
  readonly onCancel: () => void;
}

/** Who somebody is, and what they agreed to. */
export function PersonForm({ verb, busy, problem, onPerson, onCancel }: Props) {
  const [name, setName] = useState('');
  const [contact, setContact] = useState('');
  const [draft, setDraft] = useState(newConsentDraft);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (draft.agreedAt === null) return;
    const reach = contact.trim();
    onPerson({ name: name.trim(), ...(reach === '' ? {} : { contact: reach }), consent: toConsent(draft, draft.agreedAt) });
  };
  return (
    <form onSubmit={submit}>
      <div className="field-row">
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
        <Field label="Contact (optional)">
          {(control) => (
            <input {...control} maxLength={500} autoComplete="off" value={contact} onChange={(event) => setContact(event.target.value)} />
          )}
        </Field>
      </div>
      <ConsentFields draft={draft} onDraft={setDraft} />
      {problem && <ProblemNotice problem={problem} />}
      <footer className="dialog-foot">
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? 'Working…' : verb}
        </button>
      </footer>
    </form>
  );
}
