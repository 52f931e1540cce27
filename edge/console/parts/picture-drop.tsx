import { type DragEvent, useId, useState } from 'react';
import { Icon } from './icon.tsx';

interface Props {
  readonly label: string;
  readonly busy: boolean;
  readonly onPicture: (picture: File) => void;
}

/** Takes one picture: chosen, dropped, or by keyboard. */
export function PictureDrop({ label, busy, onPicture }: Props) {
  const id = useId();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined && !busy) onPicture(file);
  };
  return (
    <div className={over ? 'drop drop-over' : 'drop'}>
      <input
        id={id}
        className="drop-input"
        type="file"
        accept="image/jpeg,image/png,image/webp"
        disabled={busy}
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file !== undefined) onPicture(file);
        }}
      />
      <label
        htmlFor={id}
        className="drop-face"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Icon name="upload" />
        <strong>{busy ? 'The box is looking at the picture…' : label}</strong>
        <span id={`${id}-hint`} className="drop-hint">
          One person, from the front. JPEG, PNG or WebP, up to 20 MB.
        </span>
      </label>
    </div>
  );
}
