import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';
import { findSoftHsm } from './find-soft-hsm.ts';

const TOKEN = 'securegate';

/** A control plane with its KMS in one folder, to try it out or for a small deployment on one machine. */
export interface EmbeddedFolder {
  readonly cloudConfig: string;
  readonly kmsConfig: string;
  /** What the KMS needs in its environment. */
  readonly kmsEnv: Readonly<Record<string, string>>;
}

export interface EmbeddedPorts {
  /** Of the API. */
  readonly port?: number | undefined;
  /** Of the server where boxes enrol. */
  readonly fleetPort?: number | undefined;
  /** Of the broker. */
  readonly brokerPort?: number | undefined;
}

/** What the product writes into a folder; whoever adds to it keeps what he added. */
interface EmbeddedConfig {
  readonly api: { readonly port: number };
  readonly fleet: { readonly port: number; readonly broker: { readonly port: number } };
}

/**
 * Makes the folder on the first call: a token of SoftHSM2 where that is installed, otherwise keys in a sealed file.
 * @param ports those that are given count from now on
 */
export function openEmbeddedFolder(folder: string, ports: EmbeddedPorts): EmbeddedFolder {
  const cloudConfig = join(folder, 'cloud.json');
  const kmsConfig = join(folder, 'kms.json');
  const softHsmConfig = join(folder, 'softhsm2.conf');
  if (!existsSync(cloudConfig)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const library = findSoftHsm();
    const hsm = library === undefined ? makeKeystore(folder) : makeToken(folder, library, softHsmConfig);
    const socket = join(folder, 'run', 'kms.sock');
    writeJson(kmsConfig, { dataDir: join(folder, 'kms'), socket, hsm });
    // Written last: with it the folder is whole.
    const fleet = { port: 8761, broker: { port: 8883 } };
    writeJson(cloudConfig, { dataDir: join(folder, 'cloud'), api: { port: 8760 }, fleet, kms: { socket } });
  }
  if (Object.values(ports).some((port) => port !== undefined)) changePorts(cloudConfig, ports);
  return { cloudConfig, kmsConfig, kmsEnv: existsSync(softHsmConfig) ? { SOFTHSM2_CONF: softHsmConfig } : {} };
}

function changePorts(file: string, { port, fleetPort, brokerPort }: EmbeddedPorts): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as EmbeddedConfig;
  const { api, fleet } = config;
  const broker = { ...fleet.broker, port: brokerPort ?? fleet.broker.port };
  writeJson(file, { ...config, api: { ...api, port: port ?? api.port }, fleet: { ...fleet, port: fleetPort ?? fleet.port, broker } });
}

function makeToken(folder: string, library: string, configFile: string): object {
  const tokens = join(folder, 'tokens');
  // Of a first call that ended half-way: nothing has used it yet.
  rmSync(tokens, { recursive: true, force: true });
  mkdirSync(tokens, { mode: 0o700 });
  writeFileSync(configFile, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const pin = { file: join(folder, 'user.pin') };
  const soPin = { file: join(folder, 'so.pin') };
  for (const { file } of [pin, soPin]) writeFileSync(file, randomBytes(16).toString('hex'), { mode: 0o600 });
  const files = ['--pin-file', pin.file, '--so-pin-file', soPin.file];
  const args = [join(projectRoot(), 'provisioning/main.ts'), 'kms-trust', 'init', '--library', library, '--token', TOKEN, ...files];
  execFileSync(process.execPath, args, { env: { ...process.env, SOFTHSM2_CONF: configFile }, stdio: ['ignore', 'ignore', 'inherit'] });
  writeJson(join(folder, 'kms-trust.json'), { driver: 'pkcs11', library, token: TOKEN, soPin });
  return { driver: 'pkcs11', library, token: TOKEN, pin, destroyHorizonDays: 0 };
}

function makeKeystore(folder: string): object {
  const masterKey = { file: join(folder, 'master.key') };
  const trustedKeys = join(folder, 'trusted');
  writeFileSync(masterKey.file, randomBytes(32), { mode: 0o600 });
  writeJson(join(folder, 'kms-trust.json'), { driver: 'software', trustedKeys });
  return { driver: 'software', keystore: join(folder, 'keystore'), trustedKeys, masterKey };
}

function writeJson(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
