import childProcess, { type SpawnOptions } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/** A vault is started as a process of Node by its entry. */
const VAULT = '/edge/vault/main.ts';

/** Whether this process is a vault. */
export const IN_VAULT = process.argv[1]?.endsWith(VAULT) === true;

/** Has the vaults that this process starts load a module before their own code. */
export function loadIntoVaults(module: string): void {
  const spawn = childProcess.spawn;
  childProcess.spawn = ((command: string, args: readonly string[], options: SpawnOptions) => {
    const own = args.at(-1)?.endsWith(VAULT) ? [`--import=${module}`] : [];
    return spawn(command, [...own, ...args], options);
  }) as typeof spawn;
  syncBuiltinESMExports();
}
