import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer, NewFace } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { useObjectUrl } from '../hooks/use-object-url.ts';
import { PictureDrop } from '../parts/picture-drop.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { QualityVerdict } from '../parts/quality-verdict.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onAdded: () => void;
}

/** Gives somebody a face by upload, and shows what the box thinks of the picture. */
export function AddFace({ tenant, customer, onAdded }: Props) {
  const [file, setFile] = useState<File>();
  const [face, setFace] = useState<NewFace>();
  const url = useObjectUrl(file);
  const { busy, problem, run } = useAction();
  const add = (picture: File): void => {
    setFile(picture);
    setFace(undefined);
    void run(async () => {
      setFace(await people.addFace(tenant, customer.id, picture));
      onAdded();
    });
  };
  return (
    <div className="add-face">
      {url !== undefined && (busy || face !== undefined || problem !== undefined) && (
        <img className="add-face-picture" src={url} alt="Chosen" />
      )}
      <div className="add-face-words">
        {face && <QualityVerdict title="Picture added." quality={face.quality} />}
        {problem && <ProblemNotice problem={problem} />}
        <PictureDrop label={face ? 'Add another picture' : 'Choose or drop a picture'} busy={busy} onPicture={add} />
      </div>
    </div>
  );
}
