import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pacote from 'pacote';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { npmOptions } from './npm-options.ts';
import { projectRoot } from './project-root.ts';

export interface DownloadOptions {
  /** What npm understands: `name@version`, `file:/folder/x.tgz` or an https URL. */
  readonly spec: string;
  /** Subresource integrity of the whole download. */
  readonly integrity: string;
  /** File to write; its folder must be there. */
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Downloads one file through pacote, so that npm's own configuration, proxies and credentials count.
 * When it resolves, the file on disk has the stated integrity; when it rejects, what is in `to` must not be used.
 * @throws {SecureGateError} `model_integrity` other content than stated, `model_source` everything else
 */
export async function download({ spec, integrity, to, signal, onProgress }: DownloadOptions): Promise<void> {
  // A file needs neither registry nor credentials, and is not to be copied into npm's cache.
  const options = spec.startsWith('file:') ? {} : await npmOptions(projectRoot());
  try {
    await pacote.tarball.stream(
      spec,
      async (source) => {
        // pacote tries again after a failure of the network: each try begins at zero.
        let bytes = 0;
        const count = new Transform({
          transform(chunk: Buffer, _encoding, done) {
            bytes += chunk.length;
            onProgress?.(bytes);
            done(null, chunk);
          },
        });
        const target = createWriteStream(to);
        // pacote's streams are minipass streams, whose errors `pipeline` does not see.
        source.on('error', (error: Error) => count.destroy(error));
        source.pipe(count);
        await pipeline(count, target, { signal });
      },
      { ...options, integrity },
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINTEGRITY') {
      throw new SecureGateError('model_integrity', `${spec} does not have the pinned integrity`, { cause: error, details: { spec } });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new SecureGateError('model_source', `cannot fetch ${spec}: ${reason}`, { cause: error, details: { spec } });
  }
}
