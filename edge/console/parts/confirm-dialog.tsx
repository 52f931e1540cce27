import type { ReactNode } from 'react';
import { FormDialog } from './form-dialog.tsx';

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
  return (
    <FormDialog title={title} verb={verb} danger onSubmit={onConfirm} onClose={onClose}>
      {children}
    </FormDialog>
  );
}
