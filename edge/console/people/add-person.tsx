import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer, NewCustomer } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useAction } from '../hooks/use-action.ts';
import { goTo } from '../hooks/use-route.ts';
import { Dialog } from '../parts/dialog.tsx';
import { AddFace } from './add-face.tsx';
import { PersonForm } from './person-form.tsx';

interface Props {
  readonly tenant: string;
  readonly onClose: () => void;
  readonly onAdded: () => void;
}

/** Two steps: the person with the consent, then the pictures. */
export function AddPerson({ tenant, onClose, onAdded }: Props) {
  const [customer, setCustomer] = useState<Customer>();
  const { busy, problem, run } = useAction();
  const [key] = useState(() => crypto.randomUUID());
  const add = (person: NewCustomer): void =>
    void run(async () => {
      setCustomer(await people.add(tenant, person, key));
      onAdded();
    });
  const done = (made: Customer): void => {
    onClose();
    goTo(hrefOf('people', { tenant, customer: made.id }));
  };
  return (
    <Dialog title={customer ? `A picture of ${customer.name}` : `Add a person at ${tenant}`} onClose={onClose}>
      {customer === undefined ? (
        <PersonForm verb="Next: picture" busy={busy} problem={problem} onPerson={add} onCancel={onClose} />
      ) : (
        <>
          <AddFace tenant={tenant} customer={customer} onAdded={onAdded} />
          <footer className="dialog-foot">
            <button type="button" className="button button-primary" onClick={() => done(customer)}>
              Done
            </button>
          </footer>
        </>
      )}
    </Dialog>
  );
}
