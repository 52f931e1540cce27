import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
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
  const say = useSay();
  const save = async (): Promise<void> => {
    await people.change(tenant, customer, { name: person.name.trim(), contact: person.contact.trim() || null });
    say('Saved.');
    onClose();
    onChanged();
  };
  return (
    <FormDialog title={`Edit ${customer.name}`} verb="Save" onSubmit={save} onClose={onClose}>
      <PersonFields draft={person} onDraft={setPerson} />
    </FormDialog>
  );
}
