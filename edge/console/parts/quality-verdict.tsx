import type { Quality } from '../api/types.ts';
import { Bar } from './bar.tsx';
import { Icon } from './icon.tsx';

interface Props {
  readonly title: string;
  /** null where the box has not kept it: the answer to a request that it had already fulfilled. */
  readonly quality: Quality | null;
}

/** What the box thinks of an accepted face, in figures that tell how to do better. */
export function QualityVerdict({ title, quality }: Props) {
  if (quality === null) {
    return (
      <section className="verdict" aria-label={title}>
        <p className="verdict-title">
          <Icon name="check" />
          <strong>{title}</strong>
        </p>
      </section>
    );
  }
  const { overall } = quality;
  const word = overall >= 0.75 ? 'very good' : overall >= 0.5 ? 'good' : 'usable';
  return (
    <section className="verdict" aria-label={title}>
      <p className="verdict-title">
        <Icon name="check" />
        <span>
          <strong>{title}</strong> The picture is {word}.{overall < 0.5 && ' A sharper, frontal one would be recognised more surely.'}
        </span>
      </p>
      <Bar value={overall} tone={overall >= 0.5 ? 'good' : 'wait'} />
      <dl className="figures">
        <Figure name="Overall" value={`${Math.round(overall * 100)} %`} />
        <Figure name="Face" value={`${Math.round(quality.sizePx)} px`} />
        <Figure name="Sharpness" value={quality.sharpness.toFixed(1)} />
        <Figure name="Turned" value={`${Math.abs(Math.round(quality.yaw))}°`} />
        <Figure name="Up or down" value={`${Math.abs(Math.round(quality.pitch))}°`} />
        <Figure name="Leaning" value={`${Math.abs(Math.round(quality.roll))}°`} />
      </dl>
    </section>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
