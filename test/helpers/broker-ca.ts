import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoorCertificates } from '../../cloud/broker/door.ts';
import type { ClientCredentials } from '../../shared/mqtt/open-broker.ts';
import { TestCa } from './test-ca.ts';

/** The authority of a test's broker and devices, with files of its own. */
export class BrokerCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'sg-fleet-'));
  readonly ca = new TestCa(this.folder, 'Devices');
  readonly #server = this.ca.issue('broker');

  /** Files of the broker's certificate. */
  get server(): { cert: string; key: string } {
    return this.#server;
  }

  /** What a broker shows, and whom it trusts. */
  door(ca: readonly string[] = [this.ca.pem]): DoorCertificates {
    return { cert: readFileSync(this.#server.cert, 'utf8'), key: readFileSync(this.#server.key), ca };
  }

  /** @param by another authority than the broker's */
  credentials(commonName: string, by: TestCa = this.ca, days = 1): () => ClientCredentials {
    const { cert, key } = by.issue(commonName, days);
    return () => ({ ca: this.ca.pem, cert: readFileSync(cert, 'utf8'), key: readFileSync(key) });
  }

  /** As the fleet's own authority issues it. @param key see key-hash.ts */
  ofDevice(device: string, key: string): () => ClientCredentials {
    const serialNumber = Buffer.from(key, 'base64url').toString('hex');
    const issued = this.ca.issue(device, 1, [], `/CN=${device}/serialNumber=${serialNumber}`);
    return () => ({ ca: this.ca.pem, cert: readFileSync(issued.cert, 'utf8'), key: readFileSync(issued.key) });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
