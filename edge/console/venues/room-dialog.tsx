import { useState } from 'react';
import { rooms } from '../api/rooms.ts';
import type { Room } from '../api/types.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { NumberInput } from '../parts/number-input.tsx';

interface Props {
  readonly tenant: string;
  /** undefined for a new one. */
  readonly room: Room | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Adds a room, or changes one. */
export function RoomDialog({ tenant, room, onClose, onSaved }: Props) {
  const [title, setTitle] = useState(room?.title ?? '');
  const [capacity, setCapacity] = useState(String(room?.capacity ?? ''));
  const [key] = useState(() => crypto.randomUUID());
  const save = async (): Promise<void> => {
    const settings = { title: title.trim(), ...(capacity === '' ? {} : { capacity: Number(capacity) }) };
    if (room === undefined) await rooms.add(tenant, settings, key);
    else await rooms.replace(tenant, room, settings);
    onClose();
    onSaved();
  };
  return (
    <FormDialog
      title={room ? `Edit ${room.title}` : `Add a room at ${tenant}`}
      verb={room ? 'Save' : 'Add room'}
      onSubmit={save}
      onClose={onClose}
    >
      <div className="field-row">
        <Field label="Title">
          {(control) => (
            <input
              {...control}
              required
              maxLength={200}
              placeholder="Great hall"
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <Field label="Capacity (optional)">
          {(control) => <NumberInput control={control} whole min={1} value={capacity} onChange={setCapacity} />}
        </Field>
      </div>
    </FormDialog>
  );
}
