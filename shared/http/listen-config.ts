import { z } from 'zod';
import { hostnameSchema, hostPatternSchema } from './hostname.ts';

const pair = {
  cert: z.string().min(1).describe('File of the certificate chain, PEM.'),
  key: z.string().min(1).describe('File of its private key, PEM; readable by the server alone.'),
};

/** The certificates of a server. */
export const tlsSchema = z
  .strictObject({
    ...pair,
    certificates: z
      .array(
        z.strictObject({
          hostnames: z
            .array(hostPatternSchema)
            .min(1)
            .describe('Names that it is shown for; `*.example.org` is every name one level below.'),
          ...pair,
        }),
      )
      .default([])
      .describe('Certificates for names of their own. `cert` is shown for all others, and to who names none.'),
  })
  .superRefine(({ certificates }, context) => {
    const seen = new Set<string>();
    certificates.forEach(({ hostnames }, index) => {
      for (const name of hostnames) {
        if (seen.has(name))
          context.addIssue({ code: 'custom', path: ['certificates', index, 'hostnames'], message: `${name} is there twice` });
        seen.add(name);
      }
    });
  });
export type TlsConfig = z.input<typeof tlsSchema>;

/** The server's own names, which belong to no tenant. */
export const ownHostnamesSchema = z
  .array(z.union([hostnameSchema, z.ipv4(), z.ipv6()]))
  .optional()
  .describe(
    'Names and addresses by which it is called itself. Default: those of `tls.cert`, without wildcards. This machine, and the address that it listens on, count in any case.',
  );

export const trustedProxiesSchema = z
  .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
  .default([])
  .describe(
    'Addresses and networks whose X-Org-Id and X-Tenant-Id count: they narrow what a request may touch. From others they are ignored.',
  );

/** Where a server listens, and as whom. */
export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly tls?: TlsConfig | undefined;
  readonly hostnames?: readonly string[] | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}
