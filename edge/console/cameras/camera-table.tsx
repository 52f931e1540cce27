import type { Camera, Room } from '../api/types.ts';
import { FixedNote } from '../parts/fixed-note.tsx';
import { Icon } from '../parts/icon.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { cameraState } from '../words/camera-state.ts';

interface Props {
  readonly cameras: readonly Camera[];
  readonly rooms: readonly Room[];
  readonly onEdit: (camera: Camera) => void;
  readonly onRemove: (camera: Camera) => void;
}

export function CameraTable({ cameras, rooms, onEdit, onRemove }: Props) {
  return (
    <div className="panel table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Camera and address</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Given / wanted fps
            </th>
            <th scope="col">Looks at</th>
            <th scope="col">
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {cameras.map((camera) => (
            <CameraRow
              key={camera.id}
              camera={camera}
              room={rooms.find(({ id }) => id === camera.roomId)?.title}
              onEdit={() => onEdit(camera)}
              onRemove={() => onRemove(camera)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly camera: Camera;
  /** Where it stands; undefined where nobody said. */
  readonly room: string | undefined;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function CameraRow({ camera, room, onEdit, onRemove }: RowProps) {
  const { tone, word, reason, next } = cameraState(camera);
  const title = camera.title || camera.slug;
  return (
    <tr>
      <th scope="row">
        {title}
        {title !== camera.slug && <span className="quiet below">{camera.slug}</span>}
        {room !== undefined && <span className="below">{room}</span>}
        <span className="quiet below address">{camera.address}</span>
      </th>
      <td className="camera-state">
        <StateDot tone={tone}>{word}</StateDot>
        {reason !== null && <span className="below">{reason}.</span>}
        {next !== null && <span className="quiet below">{next}</span>}
      </td>
      <td className="number">
        {camera.fpsGiven.toFixed(1)} / {camera.fps}
      </td>
      <td>{camera.tiles === null ? 'the whole picture' : `${camera.tiles.columns} × ${camera.tiles.rows} parts`}</td>
      <td className="row-do">
        {camera.fixed ? (
          <FixedNote />
        ) : (
          <>
            <button type="button" className="button button-icon" onClick={onEdit} aria-label={`Edit ${title}`}>
              <Icon name="edit" />
            </button>
            <button type="button" className="button button-icon" onClick={onRemove} aria-label={`Remove ${title}`}>
              <Icon name="remove" />
            </button>
          </>
        )}
      </td>
    </tr>
  );
}
