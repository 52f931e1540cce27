import { setTimeout as pause } from 'node:timers/promises';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
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
import { type Comparison, compareCounts } from '../score/compare-counts.ts';
import { ALL_CANDIDATES, countForeignCandidates } from '../score/count-foreign-candidates.ts';
import { judge } from '../score/judge.ts';
import type { DemoResult } from '../score/make-result.ts';
import { Watch } from '../watch.ts';
import { CloudVenue } from './cloud-venue.ts';
import { describeForBox } from './describe-for-box.ts';
import { giveCameras } from './give-cameras.ts';
import { readCounts } from './read-counts.ts';
import { renewLeases } from './renew-leases.ts';

/** Longest time until the last sighting is counted. */
const COUNTED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

/**
 * One run over the whole footage by a box that its control plane tells everything. What the cloud counted is compared with what the box
 * saw, and what it keeps is searched for whom the box saw.
 * @throws {SecureGateError} `demo_failed`, `stopped` by the signal, those of enrolment
 */
export async function runOnceWithCloud(options: OnceOptions): Promise<DemoResult> {
  const { run, say, signal } = options;
  const watch = new Watch({ cameras: CAMERAS.length, halfwayMs: DURATION_MS / 2 });
  const venue = new CloudVenue({ run, onEvent: (event) => watch.take(event), say, signal });
  try {
    return await runAt(venue, watch, options);
  } catch (error) {
    // Whatever an interrupt broke off.
    throw signal.aborted ? new SecureGateError('stopped', 'The demo was interrupted') : error;
  } finally {
    await venue.stop();
  }
}

async function runAt(venue: CloudVenue, watch: Watch, { prepared, run, say, signal }: OnceOptions): Promise<DemoResult> {
  say('looking at pictures of the guests');
  const described = await describeForBox(run, prepared.photo);
  const leasedMs = await venue.open();
  const { api } = await venue.box();
  say('enrolling the guests of two venues at the box');
  const enrolled = await enrolByApi(api, described, Date.now());
  const secrets = secretsOf(enrolled);
  const search = secretsSearch(secrets);
  // The box may write down which customer it saw, the cloud may not.
  const unknownToCloud = { ...secrets, customerIds: enrolled.map(({ customerId }) => customerId) };
  const cloudSearch = secretsSearch(unknownToCloud);
  await checkCanaries(run.cloud, unknownToCloud, cloudSearch);
  const client = await venue.client();
  const { device, ms: enrolledMs } = venue.enrolled;
  say('having the control plane tell the box to renew its leases, by signed commands');
  const commandsDone = await renewLeases(client, device, signal);
  const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'once' });
  const leaks: Findings[] = [];
  const inCloud: Findings[] = [];
  try {
    say(`watching four cameras, which the control plane tells the box, for ${DURATION_MS / 1000} s`);
    await giveCameras(client, device, cameras.urls);
    leaks.push(await followFootage({ watch, ended: venue.ended, folder: run.path, search, signal }));
  } finally {
    await cameras.stop();
  }
  say('waiting until the cloud has counted what the box saw');
  const counts = async (): Promise<Comparison> => compareCounts(watch.sightings, await readCounts(client, Date.now()));
  await untilCounted(counts, signal);
  inCloud.push(await scanFolder(run.cloud, cloudSearch));
  const foreignCandidates = await countForeignCandidates(enrolled, (tenant, { picture }) => searchBox(api, tenant, picture));
  await venue.cutPower();
  say('looking at what a power cut left on the disk of the box, and at what the cloud keeps');
  leaks.push(await scanFolder(run.path, search));
  inCloud.push(await scanFolder(run.cloud, cloudSearch));
  for (const line of findingLines(inCloud)) say(line);
  const { miscounted, ...sums } = await counts();
  for (const camera of miscounted) say(`${camera}: the cloud counted others than the box saw`);
  const times = { enrolledMs: Math.round(enrolledMs), leasedMs: Math.round(leasedMs) };
  const judged = { ...sums, miscounted: miscounted.length, namesInCloud: filesOf(inCloud).size, commandsDone };
  return { ...judge({ watch, enrolled, foreignCandidates, leaks }, say), cloud: { hsm: venue.cloud.hsm, ...times, ...judged } };
}

/** Until the cloud has counted as many as the box saw, or long enough to have done so. */
async function untilCounted(counts: () => Promise<Comparison>, signal: AbortSignal): Promise<void> {
  const late = performance.now() + COUNTED_WITHIN_MS;
  while (performance.now() < late) {
    const { sightingsOnBox, sightingsInCloud } = await counts();
    if (sightingsInCloud >= sightingsOnBox) return;
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function searchBox(box: BoxApi, tenant: string, picture: Buffer): Promise<{ customerId: string }[]> {
  return (await box.postPicture(`/v1/tenants/${tenant}/search?limit=${ALL_CANDIDATES}`, picture)).body.candidates;
}
