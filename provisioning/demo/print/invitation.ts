import { consoleLink } from '../daemon/console-link.ts';
import type { Palette } from './palette.ts';

/**
 * The way into the console of a box.
 * @param api address of its API
 * @param adminToken opens the API
 * @returns lines for the terminal alone: the link logs in
 */
export async function invitation(api: string, adminToken: string, palette: Palette): Promise<string[]> {
  return [
    `\nOpen ${palette.bold(await consoleLink(api, adminToken))}`,
    'Live names the guests and calls everybody else unknown. Press Enrol beside somebody unknown, and the box knows them on their next round.',
    'Search finds a person by a picture; People has what each of them agreed to. The link works once, within ten minutes.\n',
  ];
}
