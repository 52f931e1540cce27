interface Props {
  /** Word on the button that does it. */
  readonly verb: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly onCancel: () => void;
}

/** The end of a form in a dialog: leave it, or send it. */
export function DialogFoot({ verb, danger = false, busy, onCancel }: Props) {
  return (
    <footer className="dialog-foot">
      <button type="button" className="button" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" className={danger ? 'button button-danger' : 'button button-primary'} disabled={busy}>
        {busy ? 'Working…' : verb}
      </button>
    </footer>
  );
}
