import type { FieldControl } from './field.tsx';

interface Props {
  readonly control: FieldControl;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly disabled?: boolean;
}

/** Takes a short name as the box knows things by. */
export function SlugInput({ control, placeholder, value, onChange, disabled = false }: Props) {
  return (
    <input
      {...control}
      required
      disabled={disabled}
      pattern="[a-z0-9][a-z0-9\-]{0,61}[a-z0-9]"
      title="2 to 63 lower-case letters, digits and dashes, not at the ends"
      autoComplete="off"
      spellCheck={false}
      placeholder={placeholder}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
