import { z } from 'zod';
import { pairSchema } from '../../../shared/fleet/command.ts';
import { desiredStateSchema } from '../../../shared/fleet/desired.ts';
import { reportedStateSchema } from '../../../shared/fleet/reported.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { type BoxStateRow, desiredOf, reportedOf } from './box-states.ts';

const VERSION = { id: '01KAMV8Z0000000000000000CC', incarnation: 1, sequence: 4 };

export const boxStateSchema = z
  .strictObject({
    device: idSchema('box'),
    desired: z
      .strictObject({ version: pairSchema.extend({ id: ulidSchema }), changedAt: z.iso.datetime(), state: desiredStateSchema })
      .nullable()
      .describe('What the box should be; null until it has been connected for the first time.'),
    problem: z.string().nullable().describe('Code of why the desired state is not sent.'),
    reported: z
      .strictObject({ at: z.iso.datetime(), state: reportedStateSchema })
      .nullable()
      .describe('What the box last said of itself. It follows when its `version` is the one of `desired`.'),
  })
  .meta({
    id: 'BoxState',
    examples: [
      {
        device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        desired: {
          version: VERSION,
          changedAt: '2026-11-22T10:00:00.000Z',
          state: {
            tenants: [{ id: 'main-hall', policy: { sightingsDays: 30, unmatchedTtlMs: 10_000, matchThreshold: null }, cameras: [] }],
            removedCameras: [],
          },
        },
        problem: null,
        reported: {
          at: '2026-11-22T10:00:01.000Z',
          state: {
            version: VERSION,
            tenants: [{ id: 'main-hall', state: 'applied', reason: null }],
            cameras: [],
            shredded: [],
            modelSet: 'embedded',
            models: {
              state: 'applied',
              reason: null,
              files: [{ id: 'ultraface-320', sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854' }],
            },
            boxVersion: '0.1.0',
          },
        },
      },
    ],
  });
export type BoxState = z.output<typeof boxStateSchema>;

export function viewOf(device: string, row: BoxStateRow | undefined): BoxState {
  if (row === undefined) return { device, desired: null, problem: null, reported: null };
  const { id, incarnation, sequence, changed_at, reported_at, problem } = row;
  const state = desiredOf(row);
  return {
    device,
    // Until the next version is made, that of another incarnation has no place any more.
    desired: state === undefined || id === '' ? null : { version: { id, incarnation, sequence }, changedAt: iso(changed_at), state },
    problem: problem || null,
    reported: { at: iso(reported_at), state: reportedOf(row) },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
