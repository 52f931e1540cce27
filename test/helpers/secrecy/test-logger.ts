import { appendFileSync } from 'node:fs';
import { createLogger, type Logger } from '../../../shared/log/create-logger.ts';
import { runFolder, saidFile } from './run-folder.ts';

/**
 * The log of what a test runs in its own process: everything, for the search that ends a run.
 * @param onLine also gets each line
 */
export function testLogger(part = 'test', onLine: (line: string) => void = () => undefined): Logger {
  const folder = runFolder();
  const write = (line: string): void => {
    onLine(line);
    if (folder !== undefined) appendFileSync(saidFile(folder), line);
  };
  return createLogger(part, { level: 'trace', stream: { write } });
}
