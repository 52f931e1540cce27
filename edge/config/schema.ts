import { z } from 'zod';
import { hostnameSchema } from '../../shared/http/hostname.ts';
import { ownHostnamesSchema, tlsSchema, trustedProxiesSchema } from '../../shared/http/listen-config.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { isLoopback } from '../../shared/net/is-loopback.ts';
import { issuerSchema } from '../../shared/tokens/issuer-config.ts';

const tenant = z.strictObject({
  id: slugSchema.describe('Id of the tenant; never used again for another one.'),
  org: slugSchema.describe('Org that the tenant belongs to.'),
  hostnames: z
    .array(hostnameSchema)
    .default([])
    .describe('Host names of this tenant. Whoever calls the box by one of them reaches this tenant and nothing else.'),
  matchThreshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Lowest cosine similarity that names a person. Default: the embedding model's own."),
  unmatchedTtlMs: z
    .number()
    .int()
    .min(1000)
    .max(60_000)
    .default(10_000)
    .describe(
      'How long crops and embeddings of somebody who matches nobody stay in memory, milliseconds. They never reach a disk. While an operator enrols the person, the crop is held longer: three minutes at most.',
    ),
  sightingsDays: z
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('Days (UTC) for which sightings are kept, the present one among them. Older ones are removed from the disk.'),
  keys: z
    .enum(['file', 'lease'])
    .default('file')
    .describe(
      'Where its key comes from: `file`, out of keyDir; `lease`, from a KMS for a time (see `lease`). Chosen before the first start: the one does not open what the other made.',
    ),
});

const tiles = z.strictObject({
  columns: z.number().int().min(1).max(8).describe('Tiles side by side.'),
  rows: z.number().int().min(1).max(8).describe('Tiles one above the other.'),
  overlap: z.number().min(0).max(0.5).default(0.2).describe('Share of a tile that it has in common with its neighbour.'),
});

const camera = z.strictObject({
  id: slugSchema.describe('Id of the camera, unique on the box.'),
  tenant: slugSchema.describe('Tenant whose camera this is.'),
  url: z.string().min(1).describe('rtsp:// or rtsps:// address, or the path of a video file.'),
  fps: z.number().min(0.2).max(30).default(5).describe('Pictures a second that are analysed.'),
  tiles: tiles.optional().describe('Also look for small faces on overlapping tiles of the picture. Costs one detection a tile.'),
});

const perMinute = z.number().int().min(1).max(1_000_000);

/** Requests a minute. */
const rateLimits = z.strictObject({
  perAddress: perMinute.default(3000).describe('Requests a minute of one address (IPv6: of one network), whoever asks.'),
  perPrincipal: perMinute.default(1200).describe('Requests a minute of one API key, or of the admin.'),
  pictures: perMinute
    .default(120)
    .describe('Pictures a minute that one key lets be looked at. Each takes inference time from the cameras.'),
  logIns: perMinute.default(10).describe('Wrong tokens and login links a minute of one address.'),
});

const api = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Anything but a loopback address needs `tls`.'),
    port: z.number().int().min(0).max(65_535).default(8750).describe('TCP port; 0 takes any free one.'),
    tls: tlsSchema.optional().describe('Certificates of the API. Without them only loopback is served, by plain HTTP.'),
    hostnames: ownHostnamesSchema,
    trustedProxies: trustedProxiesSchema,
    rateLimits: rateLimits.prefault({}),
  })
  .describe('The HTTP API and the console of the box.');

const webhooks = z
  .strictObject({
    allowPrivateTargets: z
      .boolean()
      .default(false)
      .describe(
        "Let webhooks call loopback, link-local and private addresses, and plain http:// ones. Off, a tenant cannot reach the venue's network through the box.",
      ),
  })
  .describe('Calls to the receivers that the tenants name.');

const lease = z
  .strictObject({
    kmsKeys: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File of the public keys by which the KMS signs leases, a JWK Set: nobody else can give this box a lease. Without it, the KMS of the control plane with which the box is enrolled (`securegate enrol`).',
      ),
    tpm: z
      .strictObject({
        tcti: z.string().min(1).default('device:/dev/tpmrm0').describe('Where the TPM is, as TPM2TOOLS_TCTI of tpm2-tools names it.'),
        pcrs: z
          .string()
          .regex(/^sha256:\d+(,\d+)*$/)
          .optional()
          .describe(
            'PCRs that must be as they were when a lease came, such as `sha256:0,7`: the box was started with the same software. Without it, whoever takes the box under its lease can open it with a system of his own.',
          ),
        deviceKeys: z
          .enum(['file', 'tpm'])
          .default('file')
          .describe(
            'Where the keys are by which a KMS knows this box: in files of keyDir, or in the TPM, which they never leave. Changed, the box needs a new assignment.',
          ),
      })
      .optional()
      .describe("The TPM 2.0 of this box, by Debian's tpm2-tools. Leases whose org wants `tpm` are refused without it."),
    kmsSocket: z
      .string()
      .min(1)
      .optional()
      .describe('Unix socket of a KMS on this machine. Without it leases come over the link of an enrolled box, else on a stick.'),
  })
  .describe('How tenants whose `keys` are `lease` get them, where that is not the control plane of an enrolled box.');

const link = z
  .strictObject({
    credential: z
      .string()
      .regex(/^[\w-]+$/)
      .optional()
      .describe(
        'systemd credential (`LoadCredentialEncrypted=`) that holds the key of the certificate: EC P-256, PKCS#8, DER. Without it the key is a file of keyDir.',
      ),
  })
  .describe('How the box shows its control plane who it is (`securegate enrol`).');

const outbox = z
  .strictObject({
    mebibytesPerTenant: z
      .number()
      .int()
      .min(1)
      .max(65_536)
      .default(64)
      .describe('Room on the disk for the sightings of one tenant that wait, MiB: about 4,000 sightings each.'),
    whenFull: z
      .enum(['drop-oldest', 'drop-newest'])
      .default('drop-oldest')
      .describe(
        'Which sightings are not told when there is no more room. They are counted, and stay in the vault of their tenant all the same. Usage always has room: it is a few numbers a day.',
      ),
  })
  .describe('What waits for the control plane while it is out of reach, of the tenants whose `keys` are `lease`.');

/** The one schema of the daemon's configuration: reference page and JSON Schema are generated from it. */
export const configSchema = z
  .strictObject({
    dataDir: z.string().min(1).describe('Folder of the encrypted vaults. A copy of it opens nothing without the key folder.'),
    keyDir: z
      .string()
      .min(1)
      .describe(
        'Folder of the tenant keys (`<tenant>.key`, then `<tenant>.2.key` and so forth, mode 0600), of the keys of the box itself and of what it keeps of leases. Must lie outside dataDir.',
      ),
    epochMoveHours: z
      .number()
      .int()
      .min(0)
      .max(8760)
      .default(24)
      .describe(
        'Longest time from the erasure of a customer to another tenant key, hours. With it, older copies of the data open no more by the key on the box, and copies of the old key file are worth nothing to you: keep a new one. 0: only when it is asked for.',
      ),
    keyringReplicaDir: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder on another disk in which the box keeps a current copy of every keyring, for a restore. It has to be there; without one, a lost data folder is lost.',
      ),
    modelsDir: z.string().min(1).optional().describe('Folder of the model files. Default: where `securegate models pull` puts them.'),
    models: z
      .strictObject({
        set: z
          .string()
          .optional()
          .describe(
            'Model set that detects and recognises (`securegate models list`). Named here, the control plane cannot choose another. Default: the one that it chooses, else the default set.',
          ),
      })
      .prefault({}),
    inference: z
      .strictObject({
        provider: z
          .enum(['auto', 'tensorrt', 'cuda', 'cpu'])
          .default('auto')
          .describe('Execution provider; `auto` takes the first that works.'),
        workers: z.number().int().min(0).max(64).default(0).describe('Inference threads. 0: one for each core, at most 8.'),
      })
      .prefault({}),
    api: api.prefault({}),
    webhooks: webhooks.prefault({}),
    lease: lease.optional(),
    issuer: issuerSchema
      .optional()
      .describe('Whose access tokens open the tenants of their org, besides API keys and the admin token. Without it, nobody’s do.'),
    link: link.optional(),
    outbox: outbox.prefault({}),
    cameraCaFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        "PEM file of the certificates by which rtsps:// cameras are believed: their own self-signed ones, or their authority's. FFmpeg compares no host names, so name no authority that signs for others as well. Without it every certificate is taken, and whoever is between box and camera can pose as the camera.",
      ),
    tenants: z
      .array(tenant)
      .default([])
      .describe('Tenants that this file alone declares. The API, and the control plane, add others, whose policy lies in the data folder.'),
    cameras: z
      .array(camera)
      .default([])
      .describe('Cameras that this file alone declares. The API adds others, which lie in the vault of their tenant.'),
  })
  .superRefine((config, context) => {
    const issue = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    if (config.api.tls === undefined && !isLoopback(config.api.host)) {
      issue(['api', 'tls'], 'plain HTTP is served on loopback only: add a certificate or listen on 127.0.0.1');
    }
    // Else a tenant's name that is in the certificate of the box as well would be a name of the box.
    if (
      config.api.tls !== undefined &&
      config.api.hostnames === undefined &&
      config.tenants.some(({ hostnames }) => hostnames.length > 0)
    ) {
      issue(['api', 'hostnames'], 'where tenants have host names, the box needs its own ones');
    }
    const tenants = new Set<string>();
    const names = new Set<string>(config.api.hostnames);
    config.tenants.forEach(({ id, hostnames }, index) => {
      for (const name of hostnames) {
        if (names.has(name)) issue(['tenants', index, 'hostnames'], `${name} belongs to another one`);
        names.add(name);
      }
      if (tenants.has(id)) issue(['tenants', index, 'id'], 'this tenant is there twice');
      tenants.add(id);
    });
    const cameras = new Set<string>();
    config.cameras.forEach(({ id, tenant: owner }, index) => {
      if (cameras.has(id)) issue(['cameras', index, 'id'], 'this camera is there twice');
      cameras.add(id);
      if (!tenants.has(owner)) issue(['cameras', index, 'tenant'], 'no such tenant');
    });
  });

export type Config = z.infer<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type CameraConfig = Config['cameras'][number];
