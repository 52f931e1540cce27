import { request } from './request.ts';
import type { Session } from './types.ts';

/** The browser's session with the box; its cookie is out of the page's reach. */
export const sessions = {
  current: (signal: AbortSignal) => request<Session>('GET', '/v1/session', { signal }),
  /** @param proof the admin token, or the one-time part of a login link */
  begin: (proof: { token: string } | { link: string }) => request<Session>('POST', '/v1/session', { body: proof }),
  end: () => request<void>('DELETE', '/v1/session'),
};
