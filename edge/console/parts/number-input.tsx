import type { FieldControl } from './field.tsx';

interface Props {
  readonly control: FieldControl;
  /** As it is typed. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly min: number;
  readonly max?: number;
  /** Whether the box takes fractions: one that it has already must not keep the form from being saved. */
  readonly whole?: boolean;
  readonly required?: boolean;
}

/** Takes a number within the limits of the box. */
export function NumberInput({ control, value, onChange, min, max, whole = false, required = false }: Props) {
  return (
    <input
      {...control}
      type="number"
      required={required}
      min={min}
      max={max}
      step={whole ? 1 : 'any'}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
