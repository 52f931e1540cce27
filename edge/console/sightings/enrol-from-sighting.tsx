import { useState } from 'react';
import { people } from '../api/people.ts';
import { sightings } from '../api/sightings.ts';
import type { Customer, NewCustomer, NewFace, Sighting } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { FacePicture } from '../parts/face-picture.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { QualityVerdict } from '../parts/quality-verdict.tsx';
import { PersonForm } from '../people/person-form.tsx';
import { formatClock } from '../words/time.ts';
import { FaceHold } from './face-hold.tsx';
import { WithoutFace } from './without-face.tsx';

interface Props {
  readonly sighting: Sighting;
  readonly onClose: () => void;
  /** Called when the person is enrolled. */
  readonly onDone: () => void;
}

/** Makes an unknown known: who it is and what was agreed, then the verdict on the face. */
export function EnrolFromSighting({ sighting, onClose, onDone }: Props) {
  const { id, tenant, camera, startedAt } = sighting;
  const [customer, setCustomer] = useState<Customer>();
  const [face, setFace] = useState<NewFace>();
  const { busy, problem, run } = useAction();
  const [key] = useState(() => crypto.randomUUID());
  const enrol = (person: NewCustomer): void =>
    void run(async () => {
      const made = await people.add(tenant, person, key);
      setCustomer(made);
      setFace(await people.addFaceFromSighting(tenant, made.id, id));
      onDone();
    });
  const added = (picture: NewFace): void => {
    setFace(picture);
    onDone();
  };
  return (
    <Dialog title={face ? 'Enrolled' : 'Enrol this person'} onClose={onClose}>
      <div className="enrol-who">
        <FacePicture src={sightings.picturePath(tenant, id)} alt="Best shot of this sighting" />
        <div>
          <p>
            Seen at {formatClock(startedAt)} by <strong>{camera}</strong>.
          </p>
          <p className="quiet">Will be known at {tenant}, and nowhere else.</p>
          {!face && !customer && <FaceHold sighting={sighting} />}
        </div>
      </div>
      {customer === undefined && <PersonForm busy={busy} problem={problem} verb="Enrol" onCancel={onClose} onPerson={enrol} />}
      {customer && face && (
        <>
          <QualityVerdict title={`${customer.name} is enrolled.`} quality={face.quality} />
          <footer className="dialog-foot">
            <a className="button" href={hrefOf('people', { tenant, customer: customer.id })}>
              Open profile
            </a>
            <button type="button" className="button button-primary" onClick={onClose}>
              Done
            </button>
          </footer>
        </>
      )}
      {customer && !face && busy && <p role="status">The box is looking at the face…</p>}
      {customer && !face && problem && (
        <>
          <ProblemNotice problem={problem} />
          <WithoutFace tenant={tenant} customer={customer} onFace={added} onRemoved={onClose} />
        </>
      )}
    </Dialog>
  );
}
