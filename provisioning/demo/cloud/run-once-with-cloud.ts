import { setTimeout as pause } from 'node:timers/promises';
import { startCameras } from '../camera/start-cameras.ts';
import type { BoxApi } from '../daemon/box-api.ts';
import { enrolByApi } from '../enrolment/enrol-by-api.ts';
import { followFootage } from '../follow-footage.ts';
import { CAMERAS, DURATION_MS, FRAME } from '../footage/script.ts';
import type { OnceOptions } from '../run-once.ts';
import { checkCanaries } from '../scan/check-canaries.ts';
import { type Findings, filesOf, findingLines, scanFolder } from '../scan/scan-folder.ts';
import { secretsOf } from '../scan/secrets-of.ts';
import { secretsSearch } from '../scan/secrets-search.ts';
import { compareCounts } from '../score/compare-counts.ts';
import { ALL_CANDIDATES, countForeignCandidates } from '../score/count-foreign-candidates.ts';
import { judge } from '../score/judge.ts';
import type { DemoResult } from '../score/make-result.ts';
import { Watch } from '../watch.ts';
import { CloudVenue } from './cloud-venue.ts';
import { describeForBox } from './describe-for-box.ts';

/** Longest time until the last sighting is counted. */
const COUNTED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

/**
 * One run over the whole footage by a box that its control plane tells everything: what the cloud knows in the end is compared with what
 * the box saw, and searched for whom it saw.
 * @throws {SecureGateError} `demo_failed`, `stopped` by the signal, those of enrolment
 */
export async function runOnceWithCloud({ prepared, run, say, signal }: OnceOptions): Promise<DemoResult> {
  const watch = new Watch({ cameras: CAMERAS.length, halfwayMs: DURATION_MS / 2 });
  const venue = new CloudVenue({ run, onEvent: (event) => watch.take(event), say, signal });
  const described = await describeForBox(run, prepared.photo);
  try {
    const opening = await venue.open();
    const { api: box } = await venue.box();
    say('enrolling the guests of two venues at the box');
    const enrolled = await enrolByApi(box, described, Date.now());
    const secrets = secretsOf(enrolled);
    const search = secretsSearch(secrets);
    const known = { ...secrets, customerIds: enrolled.map(({ customerId }) => customerId) };
    const cloudSearch = secretsSearch(known);
    await checkCanaries(run.path, known, cloudSearch);
    say('having the control plane tell the box to renew its leases, by signed commands');
    const commandsDone = await venue.command('renew-lease');
    const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'once' });
    const leaks: Findings[] = [];
    const inCloud: Findings[] = [];
    try {
      say(`watching four cameras for ${DURATION_MS / 1000} s, of which the box hears from its control plane`);
      await venue.giveCameras(cameras.urls);
      leaks.push(await followFootage({ watch, ended: venue.ended, folder: run.path, search, signal }));
    } finally {
      await cameras.stop();
    }
    say('waiting until what the box saw is counted in the cloud');
    await counted(venue, watch);
    inCloud.push(await scanFolder(run.cloud, cloudSearch));
    const foreignCandidates = await countForeignCandidates(enrolled, (tenant, { picture }) => searchBox(box, tenant, picture));
    await venue.cutPower();
    say('looking at what a power cut left on the disk of the box, and at what the cloud knows');
    leaks.push(await scanFolder(run.path, search));
    inCloud.push(await scanFolder(run.cloud, cloudSearch));
    for (const line of findingLines(inCloud)) say(line);
    const { miscounted, ...sums } = compareCounts(watch.sightings, await venue.counts());
    for (const camera of miscounted) say(`${camera}: the cloud counted others than the box saw`);
    const cloud = {
      hsm: venue.cloud.hsm,
      ...opening,
      ...sums,
      miscounted: miscounted.length,
      namesInCloud: filesOf(inCloud).size,
      commandsDone,
    };
    return { ...judge({ watch, enrolled, foreignCandidates, leaks }, say), cloud };
  } finally {
    await venue.stop();
  }
}

/** Until the cloud has counted as many as the box saw, or long enough to have done so. */
async function counted(venue: CloudVenue, watch: Watch): Promise<void> {
  const late = performance.now() + COUNTED_WITHIN_MS;
  while (performance.now() < late) {
    const { sightingsOnBox, sightingsInCloud } = compareCounts(watch.sightings, await venue.counts());
    if (sightingsInCloud >= sightingsOnBox) return;
    await pause(LOOK_EVERY_MS);
  }
}

async function searchBox(box: BoxApi, tenant: string, picture: Buffer): Promise<{ customerId: string }[]> {
  return (await box.postPicture(`/v1/tenants/${tenant}/search?limit=${ALL_CANDIDATES}`, picture)).body.candidates;
}
