import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tests make their certificates with openssl; without it they are skipped. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority of a test, in a folder that the caller removes. */
export class TestCa {
  readonly #folder: string;
  readonly #name: string;
  readonly file: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.file = this.#path('pem');
    openssl('req', '-x509', ...CURVE, '-subj', `/CN=${name}`, '-keyout', this.#path('key'), '-out', this.file);
  }

  get pem(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** Files of a certificate for 127.0.0.1 and these names, and of its key; with a negative number of days it has expired. */
  issue(commonName: string, days = 1, names: readonly string[] = [], subject = `/CN=${commonName}`): { cert: string; key: string } {
    const [cert, key, request, more] = ['pem', 'key', 'csr', 'ext'].map((ending) => this.#path(`${commonName}.${ending}`)) as [
      string,
      string,
      string,
      string,
    ];
    openssl('req', ...CURVE, '-subj', subject, '-keyout', key, '-out', request);
    writeFileSync(more, `subjectAltName = ${['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(', ')}\n`);
    const signer = ['-CA', this.file, '-CAkey', this.#path('key'), '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...signer, '-days', String(days), '-extfile', more, '-out', cert);
    return { cert, key };
  }

  #path(ending: string): string {
    return join(this.#folder, `${this.#name}.${ending}`);
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
