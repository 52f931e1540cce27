import { useRef, useState } from 'react';
import { Field } from './field.tsx';
import { Icon } from './icon.tsx';

interface Props {
  readonly label: string;
  readonly value: string;
}

/** A value to be taken along. Where the browser does not let the page copy, it is marked for the keyboard. */
export function CopyField({ label, value }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <Field label={label}>
      {(control) => (
        <div className="copy">
          <input {...control} ref={input} className="copy-value" readOnly value={value} onFocus={(event) => event.target.select()} />
          <button type="button" className="button" onClick={() => void copy()}>
            <Icon name={copied ? 'check' : 'copy'} /> <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
          </button>
        </div>
      )}
    </Field>
  );
}
