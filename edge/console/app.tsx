import { useEffect, useState } from 'react';
import { ProblemError } from './api/problem-error.ts';
import { sessionEnded } from './api/session-ended.ts';
import { sessions } from './api/sessions.ts';
import type { Problem } from './api/types.ts';
import { useTheme } from './hooks/use-theme.ts';
import { LogInPage } from './log-in/log-in-page.tsx';
import { ProblemNotice } from './parts/problem-notice.tsx';
import { Toasts } from './parts/toasts.tsx';
import { Shell } from './shell/shell.tsx';

type Access =
  | { readonly kind: 'asking' }
  | { readonly kind: 'in' }
  | { readonly kind: 'out'; readonly problem?: Problem; readonly ended?: boolean }
  | { readonly kind: 'unknown'; readonly problem: Problem };

// A link works once, and a component may be mounted twice while it is developed.
let exchange: Promise<unknown> | undefined;

async function ask(link: string | undefined, signal: AbortSignal): Promise<Access> {
  try {
    if (link === undefined) await sessions.current(signal);
    else {
      exchange ??= sessions.begin({ link });
      await exchange;
    }
    return { kind: 'in' };
  } catch (error) {
    const { problem } = ProblemError.from(error);
    if (link !== undefined) return { kind: 'out', problem };
    return problem.status === 401 ? { kind: 'out' } : { kind: 'unknown', problem };
  }
}

/** The console: asks whether there is a session, and shows the pages or the way in. */
export function App({ link }: { readonly link: string | undefined }) {
  const [theme, setTheme] = useTheme();
  const [access, setAccess] = useState<Access>({ kind: 'asking' });
  useEffect(() => {
    const abort = new AbortController();
    const asked = async (): Promise<void> => {
      const answer = await ask(link, abort.signal);
      if (!abort.signal.aborted) setAccess(answer);
    };
    void asked();
    return () => abort.abort();
  }, [link]);
  useEffect(() => {
    const ended = (): void => setAccess((before) => (before.kind === 'in' ? { kind: 'out', ended: true } : before));
    sessionEnded.addEventListener('ended', ended);
    return () => sessionEnded.removeEventListener('ended', ended);
  }, []);
  switch (access.kind) {
    case 'asking':
      return (
        <p className="asking" role="status">
          Asking the box…
        </p>
      );
    case 'unknown':
      return (
        <main className="log-in">
          <ProblemNotice problem={access.problem} onRetry={() => window.location.reload()} />
        </main>
      );
    case 'out':
      return <LogInPage problem={access.problem} ended={access.ended ?? false} onIn={() => setAccess({ kind: 'in' })} />;
    case 'in':
      return (
        <Toasts>
          <Shell theme={theme} onTheme={setTheme} onOut={() => setAccess({ kind: 'out' })} />
        </Toasts>
      );
  }
}
