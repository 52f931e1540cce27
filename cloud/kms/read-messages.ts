import type { Socket } from 'node:net';

/** Gives each message (one JSON value a line) that comes in. A peer who sends anything else, or too long a line, is cut off. */
export function readMessages(socket: Socket, mostCharacters: number, onMessage: (message: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    try {
      if (rest.length > mostCharacters) throw new RangeError('The line is too long');
      for (const line of lines) onMessage(JSON.parse(line));
    } catch {
      socket.destroy();
    }
  });
}
