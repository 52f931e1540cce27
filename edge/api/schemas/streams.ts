import { z } from 'zod';

/** Of the cameras, or of the tenants, that one stream carries. */
export const MOST_IN_A_STREAM = 128;
const TENANT = '[a-z0-9-]{2,63}';
const CAMERA = `${TENANT}/(?:rec_)?[a-z0-9-]{2,63}`;

function listOf(entry: string, what: string): z.ZodString {
  return z.string().regex(new RegExp(`^${entry}(?:,${entry}){0,${MOST_IN_A_STREAM - 1}}$`), {
    error: `1 to ${MOST_IN_A_STREAM} ${what}, with commas in between`,
  });
}

/** `small` is for many pictures beside each other. */
export const LIVE_SIZES = ['small', 'large'] as const;
export type LiveSize = (typeof LIVE_SIZES)[number];

export const liveQuery = z.strictObject({
  cameras: listOf(CAMERA, 'cameras as tenant/id').meta({ examples: ['opera-house/main-door,opera-house/foyer'] }),
  size: z.enum(LIVE_SIZES).default('large'),
});

export const sightingStreamQuery = z.strictObject({
  tenants: listOf(TENANT, 'tenants').meta({ examples: ['opera-house'] }),
});

/** The cameras that a live stream is asked for, each once. */
export function camerasOf({ cameras }: Pick<z.infer<typeof liveQuery>, 'cameras'>): { tenant: string; id: string }[] {
  return [...new Set(cameras.split(','))].map((camera) => {
    const [tenant = '', id = ''] = camera.split('/');
    return { tenant, id };
  });
}

/** The tenants that a stream of sightings is asked for, each once. */
export function tenantsOf({ tenants }: z.infer<typeof sightingStreamQuery>): string[] {
  return [...new Set(tenants.split(','))];
}
