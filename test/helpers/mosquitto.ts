import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DOWN_CHANNELS, downTopic, UP_CHANNELS, upTopic } from '../../shared/fleet/topics.ts';
import type { BrokerCa } from './broker-ca.ts';
import { freePort } from './free-port.ts';

const PROGRAM = '/usr/sbin/mosquitto';
const PLUGIN = globSync('/usr/lib/*/mosquitto_dynamic_security.so')[0] ?? '';
export const hasMosquitto = existsSync(PROGRAM) && PLUGIN !== '';

/** Debian's mosquitto as an operator would set it up for boxes: mTLS, the certificate's name is user and client id, a role for each device. */
export class Mosquitto {
  readonly #ca: BrokerCa;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  port = 0;

  constructor(ca: BrokerCa) {
    this.#ca = ca;
    this.#folder = ca.folder;
  }

  async setUp(controlPlanes: readonly string[], devices: readonly string[]): Promise<void> {
    this.port = await freePort();
    const { cert, key } = this.#ca.server;
    const path = (name: string): string => join(this.#folder, name);
    writeFileSync(path('dynamic-security.json'), JSON.stringify(rights(controlPlanes, devices)));
    writeFileSync(
      path('mosquitto.conf'),
      `listener ${this.port} 127.0.0.1
user ${process.getuid?.() === 0 ? 'root' : 'nobody'}
cafile ${this.#ca.ca.file}
certfile ${cert}
keyfile ${key}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
retain_available false
message_size_limit 327680
max_packet_size 327680
plugin ${PLUGIN}
plugin_opt_config_file ${path('dynamic-security.json')}
persistence true
persistence_location ${this.#folder}/
`,
    );
    chmodSync(this.#folder, 0o755);
  }

  async start(): Promise<void> {
    const running = spawn(PROGRAM, ['-c', join(this.#folder, 'mosquitto.conf')], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    this.#process = running;
    while (!(await answers(this.port))) {
      if (running.exitCode !== null) throw new Error('mosquitto did not start');
      await pause(20);
    }
  }

  /** Until it is stopped. */
  async hang(): Promise<void> {
    this.#process?.kill('SIGSTOP');
    while (!readFileSync(`/proc/${this.#process?.pid}/stat`, 'utf8').includes(') T ')) await pause(5);
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    running.kill('SIGCONT');
    await ended;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function rights(controlPlanes: readonly string[], devices: readonly string[]): object {
  const allow = (acltype: string, topics: readonly string[]) => topics.map((topic) => ({ acltype, topic, allow: true }));
  const role = (name: string, says: readonly string[], hears: readonly string[]) => ({
    rolename: name,
    acls: [...allow('publishClientSend', says), ...allow('subscribeLiteral', hears)],
  });
  const names = [...controlPlanes, ...devices];
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: names.map((username) => ({ username, roles: [{ rolename: username }] })),
    roles: [
      ...controlPlanes.map((name) =>
        role(
          name,
          ['edge/v1/+/down/#', '$CONTROL/dynamic-security/#'],
          UP_CHANNELS.map((channel) => `edge/v1/+/up/${channel}`),
        ),
      ),
      ...devices.map((device) =>
        role(
          device,
          UP_CHANNELS.map((channel) => upTopic(device, channel)),
          DOWN_CHANNELS.map((channel) => downTopic(device, channel)),
        ),
      ),
    ],
  };
}
