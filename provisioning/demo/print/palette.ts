import { styleText } from 'node:util';

/** Emphasis for people's eyes. */
export interface Palette {
  bold(text: string): string;
  good(text: string): string;
  dim(text: string): string;
  bad(text: string): string;
}

type Style = Parameters<typeof styleText>[0];

/** Colours on a terminal (unless NO_COLOR is set, see no-color.org), plain text everywhere else. */
export function paletteFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Palette {
  const coloured = stream.isTTY === true && !env.NO_COLOR;
  const style = (format: Style) => (text: string) => (coloured ? styleText(format, text, { validateStream: false }) : text);
  return { bold: style('bold'), good: style('green'), dim: style('gray'), bad: style('red') };
}
