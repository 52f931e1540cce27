import { useState } from 'react';
import { cameras } from '../api/cameras.ts';
import type { Camera, Room } from '../api/types.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useSay } from '../parts/toasts.tsx';
import { changesOf, draftOf, settingsOf } from './camera-draft.ts';
import { CameraFields } from './camera-fields.tsx';
import { CameraTestPicture } from './camera-test-picture.tsx';

interface Props {
  readonly tenant: string;
  /** undefined for a new one. */
  readonly camera: Camera | undefined;
  /** Of this tenant. */
  readonly rooms: readonly Room[];
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Adds a camera, or changes one. */
export function CameraDialog({ tenant, camera, rooms, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(camera));
  const [key] = useState(() => crypto.randomUUID());
  const say = useSay();
  const save = async (): Promise<void> => {
    if (camera === undefined) await cameras.add(tenant, settingsOf(draft), key);
    else await cameras.change(tenant, camera, changesOf(draft, camera));
    say(camera === undefined ? 'The camera is added; the box is connecting to it.' : 'Saved.');
    onClose();
    onSaved();
  };
  const title = camera === undefined ? `Add a camera at ${tenant}` : `Edit ${camera.title || camera.slug}`;
  return (
    <FormDialog title={title} verb={camera === undefined ? 'Add camera' : 'Save'} wide onSubmit={save} onClose={onClose}>
      <div className="camera-form">
        <div>
          <CameraFields draft={draft} camera={camera} rooms={rooms} onDraft={setDraft} />
        </div>
        <CameraTestPicture tenant={tenant} url={draft.url.trim()} />
      </div>
    </FormDialog>
  );
}
