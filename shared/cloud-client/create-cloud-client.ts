import createClient, { type Client } from 'openapi-fetch';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { paths } from './paths.ts';

export type CloudClient = Client<paths>;

/** Asks a control plane, in the types of its API; without a token what it tells everybody. What it refuses, or does not answer, is thrown as a {@link SecureGateError}. */
export function createCloudClient(url: string, token?: string): CloudClient {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const client = createClient<paths>({ baseUrl: url, headers });
  client.use({
    onResponse: async ({ response }) => {
      if (!response.ok) throw await refusalOf(response);
    },
    onError: ({ error }) => new SecureGateError('cloud_unavailable', `The control plane does not answer at ${url}`, { cause: error }),
  });
  return client;
}

/** What a call gave. */
export async function contentOf<Content>(call: Promise<{ readonly data?: Content }>): Promise<Content> {
  const { data } = await call;
  if (data === undefined) throw new SecureGateError('internal', 'The control plane answered with nothing');
  return data;
}

async function refusalOf(answer: Response): Promise<SecureGateError> {
  const {
    code = 'internal',
    detail = '',
    details = {},
  } = (await answer.json()) as Partial<Record<'code' | 'detail', string>> & {
    details?: Record<string, unknown>;
  };
  return SecureGateError.fromJSON({ code, message: detail, details });
}
