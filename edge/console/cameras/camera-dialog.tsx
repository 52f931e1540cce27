import { type SubmitEvent, useState } from 'react';
import { cameras } from '../api/cameras.ts';
import type { Camera } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';
import { changesOf, draftOf, settingsOf } from './camera-draft.ts';
import { CameraFields } from './camera-fields.tsx';
import { CameraTestPicture } from './camera-test-picture.tsx';

interface Props {
  readonly tenant: string;
  /** undefined for a new one. */
  readonly camera: Camera | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Adds a camera, or changes one. */
export function CameraDialog({ tenant, camera, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(camera));
  const { busy, problem, run } = useAction();
  const [key] = useState(() => crypto.randomUUID());
  const say = useSay();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(async () => {
      if (camera === undefined) await cameras.add(tenant, settingsOf(draft), key);
      else await cameras.change(tenant, camera, changesOf(draft, camera));
      say(camera === undefined ? 'The camera is added; the box is connecting to it.' : 'Saved.');
      onClose();
      onSaved();
    });
  };
  return (
    <Dialog title={camera === undefined ? `Add a camera at ${tenant}` : `Edit ${camera.title || camera.slug}`} wide onClose={onClose}>
      <form onSubmit={submit} className="camera-form">
        <div>
          <CameraFields draft={draft} camera={camera} onDraft={setDraft} />
          {problem && <ProblemNotice problem={problem} />}
        </div>
        <CameraTestPicture tenant={tenant} url={draft.url.trim()} />
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? 'Saving…' : camera === undefined ? 'Add camera' : 'Save'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
