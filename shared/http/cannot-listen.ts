import { SecureGateError } from '../errors/securegate-error.ts';

/** Why a server does not listen, with what to do about the two usual reasons. */
export function cannotListen(host: string, port: number, cause: unknown): SecureGateError {
  const { code } = cause as NodeJS.ErrnoException;
  const why =
    code === 'EADDRINUSE'
      ? ': another program listens there. End that one, or take another port'
      : code === 'EACCES'
        ? ': ports below 1024 take a right of their own (CAP_NET_BIND_SERVICE)'
        : '';
  return new SecureGateError('config_invalid', `Cannot listen on ${host}:${port}${why}`, { cause, details: { host, port } });
}
