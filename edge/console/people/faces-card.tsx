import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer, Face } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FacePicture } from '../parts/face-picture.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { formatDay } from '../words/time.ts';
import { AddFace } from './add-face.tsx';
import { VerifyPicture } from './verify-picture.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onChanged: () => void;
}

/** The pictures that a person is recognised by. */
export function FacesCard({ tenant, customer, onChanged }: Props) {
  const { data, problem, loading, reload } = useLoad(`faces ${customer.id} ${customer.version}`, (signal) =>
    people.faces(tenant, customer.id, signal),
  );
  const [open, setOpen] = useState<'add' | 'verify'>();
  const agreed = customer.consentState === 'valid';
  const [removing, setRemoving] = useState<Face>();
  const close = (): void => setOpen(undefined);
  const changed = (): void => {
    reload();
    onChanged();
  };
  return (
    <section className="card" aria-label="Pictures">
      <header className="card-head">
        <h3>Pictures</h3>
        <div className="card-do">
          <button
            type="button"
            className="button button-small"
            disabled={!agreed || customer.faces === 0}
            onClick={() => setOpen('verify')}
          >
            <Icon name="search" /> Compare a picture
          </button>
          <button type="button" className="button button-small" disabled={!agreed} onClick={() => setOpen('add')}>
            <Icon name="plus" /> Add a picture
          </button>
        </div>
      </header>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={1} what="the pictures" />}
      {data?.items.length === 0 && <p className="quiet">No picture yet: this person cannot be recognised.</p>}
      <ul className="faces">
        {data?.items.map((face) => (
          <li key={face.id}>
            <FacePicture
              src={face.hasPicture ? people.facePicturePath(tenant, customer.id, face.id) : null}
              alt={`${customer.name}, enrolled ${formatDay(face.enrolledAt)}`}
            />
            <span title={`Described by ${face.model}`}>{Math.round(face.quality * 100)} %</span>
            <span className="quiet">{formatDay(face.enrolledAt)}</span>
            <button type="button" className="button button-icon" aria-label="Remove this picture" onClick={() => setRemoving(face)}>
              <Icon name="remove" />
            </button>
          </li>
        ))}
      </ul>
      {open === 'verify' && <VerifyPicture tenant={tenant} customer={customer} onClose={close} />}
      {open === 'add' && (
        <Dialog title={`Add a picture of ${customer.name}`} onClose={close}>
          <AddFace tenant={tenant} customer={customer} onAdded={changed} />
          <footer className="dialog-foot">
            <button type="button" className="button button-primary" onClick={close}>
              Done
            </button>
          </footer>
        </Dialog>
      )}
      {removing && (
        <ConfirmDialog
          title="Remove this picture?"
          verb="Remove"
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await people.removeFace(tenant, customer.id, removing.id);
            setRemoving(undefined);
            changed();
          }}
        >
          <p>{customer.faces === 1 ? `It is the only one: ${customer.name} will not be recognised any more.` : 'The others stay.'}</p>
        </ConfirmDialog>
      )}
    </section>
  );
}
