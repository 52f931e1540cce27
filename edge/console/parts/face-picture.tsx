import { useState } from 'react';
import { Icon } from './icon.tsx';

interface Props {
  /** null where there is none. */
  readonly src: string | null;
  readonly alt: string;
}

/** Picture of a face; a silhouette where there is none, or where the box has let it go by now. */
export function FacePicture({ src, alt }: Props) {
  const [gone, setGone] = useState<string | null>(null);
  const shown = src !== null && src !== gone;
  return (
    <span className={shown ? 'face' : 'face face-none'}>
      {shown ? <img src={src} alt={alt} onError={() => setGone(src)} /> : <Icon name="person" />}
    </span>
  );
}
