import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { type ClientCredentials, openBroker } from '../../shared/mqtt/open-broker.ts';

/** Opens TLS and nothing more. */
export async function openTls(url: URL, credentials: ClientCredentials): Promise<TLSSocket> {
  const socket = openBroker(url, credentials);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** Opens TLS and connects as an MQTT 3.1.1 client. @returns the socket, and the code that the broker answered with */
export async function openMqtt(url: URL, credentials: ClientCredentials, clientId: string): Promise<{ socket: TLSSocket; code: number }> {
  const socket = await openTls(url, credentials);
  socket.write(connectPacket(clientId));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return { socket, code: answer[3] ?? -1 };
}

export function connectPacket(clientId: string): Buffer {
  // Protocol MQTT, level 4, clean session, keepalive 60 s.
  return packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 60]), text(clientId)]));
}

export function publishPacket(topic: string, payload: Buffer, { qos = 0, messageId = 1, retain = false } = {}): Buffer {
  const number = qos === 0 ? Buffer.alloc(0) : Buffer.from([messageId >> 8, messageId & 0xff]);
  return packet(0x30 | (qos << 1) | Number(retain), Buffer.concat([text(topic), number, payload]));
}

export function subscribePacket(filters: readonly string[]): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), ...filters.flatMap((filter) => [text(filter), Buffer.from([1])])]));
}

export function packet(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first]), lengthOf(body.length), body]);
}

/** MQTT 3.1.1, 2.2.3. */
export function lengthOf(bytes: number): Buffer {
  const digits: number[] = [];
  for (let left = bytes; digits.length === 0 || left > 0; left = Math.floor(left / 128)) {
    digits.push((left % 128) | (left >= 128 ? 0x80 : 0));
  }
  return Buffer.from(digits);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
