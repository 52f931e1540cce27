import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../errors/securegate-error.ts';
import { slugSchema } from '../ids/ids.ts';
import { isLoopback } from '../net/is-loopback.ts';
import type { Certificates } from './certificates.ts';
import type { HttpApi } from './http-api.ts';
import type { ListenConfig } from './listen-config.ts';
import { type RequestedHost, requestedHost } from './requested-host.ts';

/** A tenant, and the org that it belongs to. */
export interface Venue {
  readonly org: string;
  readonly tenant: string;
}

/** What a request is about, or may touch at most; what is not named is all of it. */
export interface Confines {
  readonly org?: string | undefined;
  readonly tenant?: string | undefined;
}

export interface TenantContextOptions {
  /** Without them, plain HTTP. */
  readonly certificates: Certificates | undefined;
  readonly listen: ListenConfig;
  /** Whose host name it is. */
  readonly findVenue: (hostname: string) => Venue | undefined | Promise<Venue | undefined>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant that its host name belongs to; undefined for a name of the server itself. */
    venue: Venue | undefined;
    /** What it may touch at most, whoever asks; undefined until that is known, which is nothing. */
    confines: Confines | undefined;
  }
}

const NARROWING = ['x-org-id', 'x-tenant-id'] as const;
/** Two of them, and one of two readers may take the other one. */
const SINGLE = new Set<string>(['host', 'authorization', ...NARROWING]);

/**
 * Finds out what a request may touch at most, from its host name and from what a trusted proxy says, before anything else is done
 * for it. It never gives a right: who asks still has to show his own.
 */
export function addTenantContext(api: HttpApi, options: TenantContextOptions): void {
  const proxies = blockListOf(options.listen.trustedProxies ?? []);
  api.decorateRequest('venue', undefined);
  api.decorateRequest('confines', undefined);
  const enter = (request: FastifyRequest, venue: Venue | undefined): void => {
    request.venue = venue;
    request.confines = narrowed(request, proxies);
  };
  api.addHook('onRequest', (request, _reply, done) => {
    requireSingle(request.raw);
    const host = requestedHost(request);
    if (isOwn(host.name, request, options)) {
      enter(request, undefined);
      done();
      return;
    }
    venueOf(host, options)
      .then((venue) => enter(request, venue))
      .then(() => done(), done);
  });
}

/** Whether what a request is about lies within its confines. */
export function isWithin(confines: Confines | undefined, { org, tenant }: Confines): boolean {
  if (confines === undefined) return false;
  return (confines.org ?? org) === org && (confines.tenant ?? tenant) === tenant;
}

function requireSingle({ headers, rawHeaders }: IncomingMessage): void {
  if (2 * Object.keys(headers).length === rawHeaders.length) return;
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) throw new SecureGateError('invalid_request', 'A header is there twice', { details: { header: name } });
    seen.add(name);
  }
}

/** Whether it is a name or an address of the server itself. */
function isOwn(name: string, { socket }: FastifyRequest, { certificates, listen: { hostnames, host } }: TenantContextOptions): boolean {
  const isNamed = hostnames?.includes(name) ?? certificates?.isForHost(name) ?? false;
  return isNamed || name === host || isLoopback(name) || name === unmapped(socket.localAddress);
}

async function venueOf({ name, bySni }: RequestedHost, { certificates, findVenue }: TenantContextOptions): Promise<Venue> {
  const venue = await findVenue(name);
  // Over plain HTTP, which only this machine is served with, it is a page from elsewhere whose name was made to mean this machine
  // (DNS rebinding), and which the browser takes for a page of this server.
  if (venue === undefined && certificates === undefined) throw new SecureGateError('wrong_host', 'This server is not called by that name');
  if (venue === undefined) throw new SecureGateError('unknown_host', 'There is nobody of this host name');
  if (certificates !== undefined && !bySni) throw new SecureGateError('misdirected_request', 'This connection is for no host name');
  return venue;
}

/** Headers narrow what the host name leaves; those that do not come from a trusted proxy are removed. */
function narrowed({ raw, venue }: FastifyRequest, proxies: BlockList): Confines {
  const org = idIn(raw, 'x-org-id', proxies) ?? venue?.org;
  const tenant = idIn(raw, 'x-tenant-id', proxies) ?? venue?.tenant;
  const confines = { org, tenant };
  if (!isWithin(venue ?? {}, confines)) throw new SecureGateError('outside_tenant', 'Host name and headers name different tenants');
  return confines;
}

function idIn({ headers, socket }: IncomingMessage, name: (typeof NARROWING)[number], proxies: BlockList): string | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  if (!isTrusted(socket, proxies)) {
    delete headers[name];
    return undefined;
  }
  const { data } = slugSchema.safeParse(text);
  if (data === undefined) throw new SecureGateError('invalid_request', 'A header holds no id', { details: { header: name } });
  return data;
}

function isTrusted({ remoteAddress = '' }: Socket, proxies: BlockList): boolean {
  return proxies.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** An IPv4 address that came by an IPv6 socket, as it is written in addresses. */
function unmapped(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}
