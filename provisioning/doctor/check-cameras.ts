import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../edge/config/schema.ts';
import type { Finding } from './finding.ts';

const CHECK = 'cameras';

/** Whether cameras that speak TLS have to prove who they are. Those of the API and of the cloud are not known here. */
export function checkCameras({ cameras, cameraCaFile: file }: Pick<Config, 'cameras' | 'cameraCaFile'>): Finding[] {
  if (file === undefined) {
    const unproven = cameras.filter(({ url }) => /^rtsps:/i.test(url)).length;
    if (unproven === 0) return [];
    return [
      {
        check: CHECK,
        state: 'warn',
        message: `${unproven} of them speak TLS, and every certificate is taken: whoever is between box and camera can pose as the camera`,
        next: 'Put their certificates into a PEM file, and name it as cameraCaFile.',
      },
    ];
  }
  try {
    new X509Certificate(readFileSync(file));
    return [{ check: CHECK, state: 'ok', message: `those that speak TLS have to show a certificate of ${file}` }];
  } catch {
    return [
      {
        check: CHECK,
        state: 'fail',
        message: `no certificate can be read from ${file} (cameraCaFile): cameras that speak TLS stay unreachable`,
        next: 'Put their certificates into it, in PEM form, readable by the user of the daemon.',
      },
    ];
  }
}
