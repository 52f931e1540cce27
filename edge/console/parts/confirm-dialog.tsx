import type { ReactNode } from 'react';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from './dialog.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface Props {
  readonly title: string;
  /** Word on the button that does it. */
  readonly verb: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ title, verb, onConfirm, onClose, children }: Props) {
  const { busy, problem, run } = useAction();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {problem && <ProblemNotice problem={problem} />}
      <footer className="dialog-foot">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button button-danger" disabled={busy} onClick={() => void run(onConfirm)}>
          {busy ? 'Working…' : verb}
        </button>
      </footer>
    </Dialog>
  );
}
