import { useState } from 'react';
import { cameras } from '../api/cameras.ts';
import type { CameraTest } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { useObjectUrl } from '../hooks/use-object-url.ts';
import { Icon } from '../parts/icon.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';

interface Props {
  readonly tenant: string;
  readonly url: string;
}

interface Tested {
  readonly url: string;
  readonly test: CameraTest;
  readonly picture: Blob;
}

/** Opens the typed address and shows what the box sees there. */
export function CameraTestPicture({ tenant, url }: Props) {
  const [tested, setTested] = useState<Tested>();
  const { busy, problem, run } = useAction();
  const current = tested?.url === url ? tested : undefined;
  const picture = useObjectUrl(current?.picture);
  const look = (): void =>
    void run(async () => {
      setTested(undefined);
      const test = await cameras.test(tenant, url, new AbortController().signal);
      const bytes = Uint8Array.from(atob(test.picture), (character) => character.charCodeAt(0));
      setTested({ url, test, picture: new Blob([bytes], { type: 'image/jpeg' }) });
    });
  return (
    <section className="camera-test" aria-label="Test" aria-live="polite">
      <div className="camera-test-picture">
        {picture !== undefined && current ? (
          <img src={picture} alt="What the camera shows now" />
        ) : (
          <p className="quiet">{busy ? 'Opening the camera…' : 'What the camera shows appears here.'}</p>
        )}
      </div>
      <div className="camera-test-do">
        <button type="button" className="button" disabled={busy || url === ''} onClick={look}>
          <Icon name="live" /> {busy ? 'Testing…' : 'Test this address'}
        </button>
        {current && (
          <span className="quiet">
            {current.test.width} × {current.test.height}, opened in {Math.round(current.test.openedMs)} ms
          </span>
        )}
      </div>
      {problem && !busy && <ProblemNotice problem={problem} />}
    </section>
  );
}
