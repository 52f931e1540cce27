import { THEMES, type Theme } from '../hooks/use-theme.ts';
import { Icon, type IconName } from '../parts/icon.tsx';

const LOOKS: Readonly<Record<Theme, { readonly label: string; readonly icon: IconName }>> = {
  auto: { label: 'As the system', icon: 'auto' },
  light: { label: 'Light', icon: 'sun' },
  dark: { label: 'Dark', icon: 'moon' },
};

interface Props {
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
}

export function ThemeSwitch({ theme, onTheme }: Props) {
  return (
    <fieldset className="choice theme-switch">
      <legend className="unseen">Colours</legend>
      {THEMES.map((value) => (
        <label key={value} title={LOOKS[value].label}>
          <input type="radio" name="theme" aria-label={LOOKS[value].label} checked={value === theme} onChange={() => onTheme(value)} />
          <Icon name={LOOKS[value].icon} />
        </label>
      ))}
    </fieldset>
  );
}
