import type { Camera } from '../api/types.ts';
import { Icon } from '../parts/icon.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { cameraState } from '../words/camera-state.ts';

interface Props {
  readonly cameras: readonly Camera[];
  readonly onEdit: (camera: Camera) => void;
  readonly onRemove: (camera: Camera) => void;
}

export function CameraTable({ cameras, onEdit, onRemove }: Props) {
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
            <th scope="col">Tiles</th>
            <th scope="col">
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {cameras.map((camera) => (
            <CameraRow key={camera.id} camera={camera} onEdit={() => onEdit(camera)} onRemove={() => onRemove(camera)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly camera: Camera;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function CameraRow({ camera, onEdit, onRemove }: RowProps) {
  const { tone, word, reason, next } = cameraState(camera);
  const title = camera.title || camera.slug;
  return (
    <tr>
      <th scope="row">
        {title}
        {title !== camera.slug && <span className="quiet below">{camera.slug}</span>}
        <span className="quiet below address">{camera.address}</span>
      </th>
      <td>
        <StateDot tone={tone}>{word}</StateDot>
        {reason !== null && <span className="below">{reason}.</span>}
        {next !== null && <span className="quiet below">{next}</span>}
      </td>
      <td className="number">
        {camera.fpsGiven.toFixed(1)} / {camera.fps}
      </td>
      <td className="cell-tight">{camera.tiles === null ? 'whole picture' : `${camera.tiles.columns} × ${camera.tiles.rows}`}</td>
      <td className="row-do">
        {camera.fixed ? (
          <span className="quiet fixed" title="Declared in the configuration file: it is changed there.">
            <Icon name="lock" /> in the configuration
          </span>
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
