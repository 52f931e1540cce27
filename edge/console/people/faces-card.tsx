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
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Face>();
  const changed = (): void => {
    reload();
    onChanged();
  };
  return (
    <section className="card" aria-label="Pictures">
      <header className="card-head">
        <h3>Pictures</h3>
        <button type="button" className="button button-small" disabled={customer.consentState !== 'valid'} onClick={() => setAdding(true)}>
          <Icon name="plus" /> Add a picture
        </button>
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
      {adding && (
        <Dialog title={`Add a picture of ${customer.name}`} onClose={() => setAdding(false)}>
          <AddFace tenant={tenant} customer={customer} onAdded={changed} />
          <footer className="dialog-foot">
            <button type="button" className="button button-primary" onClick={() => setAdding(false)}>
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
