import { useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer, VerifyResult } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { useObjectUrl } from '../hooks/use-object-url.ts';
import { Bar } from '../parts/bar.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { PictureDrop } from '../parts/picture-drop.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { formatSimilarity } from '../words/similarity.ts';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onClose: () => void;
}

/** Is this the same person? Compares a picture with the enrolled ones of one person. */
export function VerifyPicture({ tenant, customer, onClose }: Props) {
  const [file, setFile] = useState<File>();
  const [result, setResult] = useState<VerifyResult>();
  const url = useObjectUrl(file);
  const { busy, problem, run } = useAction();
  const verify = (picture: File): void => {
    setFile(picture);
    setResult(undefined);
    void run(async () => setResult(await people.verify(tenant, customer.id, picture)));
  };
  return (
    <Dialog title={`Is it ${customer.name}?`} onClose={onClose}>
      <div className="add-face">
        {url !== undefined && <img className="add-face-picture" src={url} alt="To compare" />}
        <div className="add-face-words" aria-live="polite">
          {result && <Answer name={customer.name} result={result} />}
          {problem && <ProblemNotice problem={problem} />}
          <PictureDrop label={file ? 'Compare another picture' : 'Choose or drop a picture'} busy={busy} onPicture={verify} />
          <p className="quiet">The picture is compared on this box and not kept.</p>
        </div>
      </div>
      <footer className="dialog-foot">
        <button type="button" className="button button-primary" onClick={onClose}>
          Done
        </button>
      </footer>
    </Dialog>
  );
}

function Answer({ name, result: { match, score, threshold } }: { readonly name: string; readonly result: VerifyResult }) {
  return (
    <section className={match ? 'verdict' : 'verdict verdict-not'} aria-label="Answer">
      <strong>{match ? `Yes, this is ${name}.` : `No, this does not look like ${name}.`}</strong>
      <p>
        Similarity {formatSimilarity(score)} {match ? 'reaches' : 'stays below'} the threshold of {formatSimilarity(threshold)}.
      </p>
      <Bar value={score} mark={threshold} tone={match ? 'good' : 'off'} />
    </section>
  );
}
