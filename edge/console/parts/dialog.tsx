import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Icon } from './icon.tsx';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** A dialog over the page: keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({ title, onClose, wide = false, children }: Props) {
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  // Closing tells later, by an event: by then the dialog may stand open again.
  const closed = (): void => {
    if (ref.current !== null && !ref.current.open) onClose();
  };
  return (
    <dialog ref={ref} className={wide ? 'dialog dialog-wide' : 'dialog'} aria-labelledby={id} onClose={closed}>
      <h2 id={id}>{title}</h2>
      <div className="dialog-body">{children}</div>
      {/* The last one, so that the focus begins in what the dialog is about. */}
      <button type="button" className="button button-icon dialog-close" onClick={() => ref.current?.close()} aria-label="Close">
        <Icon name="close" />
      </button>
    </dialog>
  );
}
