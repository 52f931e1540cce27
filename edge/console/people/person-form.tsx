import { type SubmitEvent, useState } from 'react';
import type { NewCustomer, Problem } from '../api/types.ts';
import { DialogFoot } from '../parts/dialog-foot.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { newConsentDraft, toConsent } from './consent-draft.ts';
import { ConsentFields } from './consent-fields.tsx';
import { type PersonDraft, PersonFields } from './person-fields.tsx';

interface Props {
  readonly verb: string;
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  readonly onPerson: (person: NewCustomer) => void;
  readonly onCancel: () => void;
}

/** Who somebody is, and what they agreed to. */
export function PersonForm({ verb, busy, problem, onPerson, onCancel }: Props) {
  const [person, setPerson] = useState<PersonDraft>({ name: '', contact: '' });
  const [draft, setDraft] = useState(newConsentDraft);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (draft.agreedAt === null) return;
    const contact = person.contact.trim();
    onPerson({ name: person.name.trim(), ...(contact === '' ? {} : { contact }), consent: toConsent(draft, draft.agreedAt) });
  };
  return (
    <form onSubmit={submit}>
      <div className="field-row">
        <PersonFields draft={person} onDraft={setPerson} />
      </div>
      <ConsentFields draft={draft} onDraft={setDraft} />
      {problem && <ProblemNotice problem={problem} />}
      <DialogFoot verb={verb} busy={busy} onCancel={onCancel} />
    </form>
  );
}
