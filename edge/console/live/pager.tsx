import { Icon } from '../parts/icon.tsx';

interface Props {
  readonly first: number;
  readonly shown: number;
  readonly total: number;
  readonly step: number;
  readonly onStart: (start: number) => void;
}

/** Leafs through more cameras than fit on the page. */
export function Pager({ first, shown, total, step, onStart }: Props) {
  if (total <= step) return null;
  return (
    <nav className="pager" aria-label="Cameras shown">
      <button
        type="button"
        className="button button-icon"
        disabled={first === 0}
        onClick={() => onStart(Math.max(0, first - step))}
        aria-label="Cameras before"
      >
        <Icon name="back" />
      </button>
      <span>
        {first + 1}–{first + shown} of {total}
      </span>
      <button
        type="button"
        className="button button-icon"
        disabled={first + step >= total}
        onClick={() => onStart(first + step)}
        aria-label="Cameras after"
      >
        <Icon name="forward" />
      </button>
    </nav>
  );
}
