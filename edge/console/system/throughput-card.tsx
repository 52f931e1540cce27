import type { System } from '../api/types.ts';
import { Bar } from '../parts/bar.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { cameraState } from '../words/camera-state.ts';

/** What each camera gets of what it was promised. */
export function ThroughputCard({ cameras }: { readonly cameras: System['stats']['cameras'] }) {
  return (
    <section className="panel card card-wide" aria-label="Cameras">
      <h2>Cameras</h2>
      {cameras.length === 0 && <p className="quiet">No camera yet.</p>}
      {cameras.length > 0 && (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Camera</th>
                <th scope="col">State</th>
                <th scope="col" className="number">
                  Given / wanted fps
                </th>
                <th scope="col">
                  <span className="unseen">Share</span>
                </th>
                <th scope="col" className="number">
                  Looked at
                </th>
                <th scope="col" className="number">
                  Skipped
                </th>
                <th scope="col" className="number">
                  Failed
                </th>
                <th scope="col" className="number">
                  Tracks
                </th>
              </tr>
            </thead>
            <tbody>
              {cameras.map((camera) => (
                <CameraRow key={`${camera.tenant}/${camera.camera}`} stats={camera} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const count = new Intl.NumberFormat('en-GB');

function CameraRow({ stats }: { readonly stats: System['stats']['cameras'][number] }) {
  const { tone, word } = cameraState({ state: stats.state, reason: null });
  const share = stats.fpsWanted > 0 ? stats.fps / stats.fpsWanted : 0;
  return (
    <tr>
      <th scope="row">
        <span className="cell-tight">{stats.camera}</span>
        <span className="quiet below cell-tight">{stats.tenant}</span>
      </th>
      <td>
        <StateDot tone={tone}>{word}</StateDot>
      </td>
      <td className="number">
        {stats.fps.toFixed(1)} / {stats.fpsWanted}
      </td>
      <td className="share">
        <Bar value={share} tone={share >= 0.9 ? 'good' : 'wait'} />
      </td>
      <td className="number">{count.format(stats.frames)}</td>
      <td className={stats.skipped > 0 ? 'number warn' : 'number'}>{count.format(stats.skipped)}</td>
      <td className={stats.failures > 0 ? 'number warn' : 'number'}>{count.format(stats.failures)}</td>
      <td className="number">{count.format(stats.tracks)}</td>
    </tr>
  );
}
