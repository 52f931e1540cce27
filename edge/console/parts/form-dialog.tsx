import type { ReactNode, SubmitEvent } from 'react';
import { useAction } from '../hooks/use-action.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface Props {
  readonly title: string;
  /** Word on the button that sends it. */
  readonly verb: string;
  readonly danger?: boolean;
  readonly wide?: boolean;
  /** What is refused is told in the dialog, which stays. */
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog that is one form. */
export function FormDialog({ title, verb, danger = false, wide = false, onSubmit, onClose, children }: Props) {
  const { busy, problem, run } = useAction();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void run(onSubmit);
  };
  return (
    <Dialog title={title} wide={wide} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {problem && <ProblemNotice problem={problem} />}
        <DialogFoot verb={verb} danger={danger} busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
