/** A module that sabotages a daemon from within, told what to do by a file. */
export function sabotage(name: 'cut-network' | 'pass-time' | 'set-clock', file: string): URL {
  const module = new URL(`../sabotage/${name}.ts`, import.meta.url);
  module.searchParams.set('file', file);
  return module;
}
