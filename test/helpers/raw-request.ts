import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** What a server said to raw bytes, answer by answer. */
export interface RawAnswer {
  readonly status: number;
  /** Code of the refusal. */
  readonly code: string | undefined;
}

/**
 * Sends raw bytes and reads until the server ends the connection.
 * @param servername asked for by TLS (SNI); none where empty. Without it, to an https address, none either.
 */
export async function rawRequest(url: string, bytes: string, servername = ''): Promise<RawAnswer[]> {
  const { hostname: host, port, protocol } = new URL(url);
  const target = { host, port: Number(port) };
  const socket = protocol === 'https:' ? connectTls({ ...target, servername, rejectUnauthorized: false }) : connect(target);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => socket.destroy());
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((answer) => answer !== '')
    .map((answer) => ({ status: Number(answer.slice(9, 12)), code: /"code":"(\w+)"/.exec(answer)?.[1] }));
}

/** Common name of the certificate that is shown for a name, or to who names none. */
export async function shownCertificate(url: string, servername = ''): Promise<string> {
  const { hostname: host, port } = new URL(url);
  const socket: TLSSocket = connectTls({ host, port: Number(port), servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
