import { useState } from 'react';
import { people } from '../api/people.ts';
import { hrefOf } from '../hooks/route.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';
import { initials } from '../words/initials.ts';
import { ConsentCard } from './consent-card.tsx';
import { EditPerson } from './edit-person.tsx';
import { FacesCard } from './faces-card.tsx';
import { SeenCard } from './seen-card.tsx';

interface Props {
  readonly tenant: string;
  readonly id: string;
  readonly onChanged: () => void;
  readonly onRemoved: () => void;
}

/** One person: who, what they agreed to, their pictures, and where they were seen. */
export function Profile({ tenant, id, onChanged, onRemoved }: Props) {
  const { data: customer, problem, reload } = useLoad(`customer ${id}`, (signal) => people.get(tenant, id, signal));
  const [open, setOpen] = useState<'edit' | 'remove'>();
  const say = useSay();
  const changed = (): void => {
    reload();
    onChanged();
  };
  const close = (): void => setOpen(undefined);
  const back = (
    <a className="button button-icon profile-back" href={hrefOf('people', { tenant })} aria-label="Back to the list">
      <Icon name="back" />
    </a>
  );
  if (customer === undefined) {
    return (
      <div className="panel profile">
        {back}
        {problem ? <ProblemNotice problem={problem} onRetry={reload} /> : <Loading what="the profile" />}
      </div>
    );
  }
  const remove = async (): Promise<void> => {
    await people.remove(tenant, customer);
    say(`${customer.name} is removed.`);
    onRemoved();
  };
  return (
    <article className="panel profile" aria-label={`Profile of ${customer.name}`}>
      <header className="profile-head">
        {back}
        <span className="monogram monogram-large" aria-hidden="true">
          {initials(customer.name)}
        </span>
        <div>
          <h2>{customer.name}</h2>
          <p className="quiet">
            {customer.contact ?? 'No contact'} · {tenant}
          </p>
        </div>
        <div className="profile-do">
          <button type="button" className="button" onClick={() => setOpen('edit')}>
            <Icon name="edit" /> Edit
          </button>
          <button type="button" className="button button-danger-quiet" onClick={() => setOpen('remove')}>
            <Icon name="remove" /> Remove
          </button>
        </div>
      </header>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <ConsentCard tenant={tenant} customer={customer} onChanged={changed} />
      <FacesCard tenant={tenant} customer={customer} onChanged={changed} />
      <SeenCard tenant={tenant} customer={customer} />
      {open === 'edit' && <EditPerson tenant={tenant} customer={customer} onClose={close} onChanged={changed} />}
      {open === 'remove' && (
        <ConfirmDialog title={`Remove ${customer.name}?`} verb="Remove for good" onClose={close} onConfirm={remove}>
          <p>
            Name, contact, consent, pictures, sightings and every list entry of this person are erased from this box. Their key is destroyed
            first, so nothing of it can be read again, whichever part is put back from an older copy. How far a complete older copy reaches
            stands on the page Venues, under Erasures.
          </p>
          <p>
            <strong>This cannot be undone.</strong>
          </p>
        </ConfirmDialog>
      )}
    </article>
  );
}
