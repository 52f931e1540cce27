import { Icon } from './icon.tsx';

/** In the place of the buttons, where the configuration file declares something. */
export function FixedNote() {
  return (
    <span className="quiet fixed" title="Declared in the configuration file: it is changed there.">
      <Icon name="lock" /> in the configuration
    </span>
  );
}
