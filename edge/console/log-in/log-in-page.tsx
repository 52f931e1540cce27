import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import { sessions } from '../api/sessions.ts';
import type { Problem } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { Field } from '../parts/field.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { Mark } from '../shell/mark.tsx';

interface Props {
  /** Why a login link was refused. */
  readonly problem: Problem | undefined;
  /** Whether a session has just run out. */
  readonly ended: boolean;
  readonly onIn: () => void;
}

export function LogInPage({ problem: linkProblem, ended, onIn }: Props) {
  const [token, setToken] = useState('');
  const { busy, problem, run } = useAction();
  const field = useRef<HTMLInputElement>(null);
  // After the heading has taken the focus: there is one thing to do on this page.
  useEffect(() => field.current?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(async () => {
      await sessions.begin({ token: token.trim() });
      onIn();
    });
  };
  const shown = problem ?? linkProblem;
  return (
    <main className="log-in">
      <div className="log-in-card">
        <div className="log-in-brand">
          <Mark />
          <span>SecureGate</span>
        </div>
        <PageHead title="Log in to this box" />
        {ended && !shown && (
          <p className="notice" role="status">
            Your session has ended. Log in again to go on where you were.
          </p>
        )}
        {shown && <ProblemNotice problem={shown} />}
        <form onSubmit={submit}>
          <Field
            label="Admin token"
            hint="The box made it when it started for the first time. Whoever installed the box has it, and can replace it when it is lost."
          >
            {(control) => (
              <input
                {...control}
                ref={field}
                type="password"
                autoComplete="current-password"
                spellCheck={false}
                required
                value={token}
                onChange={(event) => setToken(event.target.value)}
              />
            )}
          </Field>
          <button type="submit" className="button button-primary" disabled={busy || token.trim() === ''}>
            {busy ? 'Logging in…' : 'Log in'}
          </button>
        </form>
      </div>
      <p className="log-in-foot">Faces, names and pictures stay on this box.</p>
    </main>
  );
}
