interface Props {
  /** 0..1 */
  readonly value: number;
  /** Where on the bar a line stands, 0..1. */
  readonly mark?: number;
  readonly tone: 'good' | 'wait' | 'off';
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** A share as a bar; the figure stands beside it in words. */
export function Bar({ value, mark, tone }: Props) {
  return (
    <svg className={`bar bar-${tone}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-ground" width="100" height="6" />
      <rect className="bar-value" width={100 * clamp(value)} height="6" />
      {mark !== undefined && <rect className="bar-mark" x={100 * clamp(mark) - 0.4} width="0.8" height="6" />}
    </svg>
  );
}
