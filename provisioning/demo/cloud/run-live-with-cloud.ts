import type { EdgeEvent } from '../../../shared/messages/events.ts';
import { startCameras } from '../camera/start-cameras.ts';
import { enrolByApi } from '../enrolment/enrol-by-api.ts';
import { FRAME } from '../footage/script.ts';
import { cloudInvitation } from '../print/cloud-invitation.ts';
import { CloudPrinter } from '../print/cloud-printer.ts';
import { EventPrinter } from '../print/event-printer.ts';
import { introduction } from '../print/introduction.ts';
import { invitation } from '../print/invitation.ts';
import { readAdminToken } from '../run-folder.ts';
import type { LiveOptions } from '../run-live.ts';
import { CloudVenue } from './cloud-venue.ts';
import { describeForBox } from './describe-for-box.ts';
import { giveCameras } from './give-cameras.ts';

/**
 * Shows box and cloud at work until `signal`: what the control plane tells the box is done while sightings are printed.
 * @throws {SecureGateError} `demo_failed` also where the daemon ends by itself, those of enrolment
 */
export async function runLiveWithCloud({ prepared, run, palette, say, print, signal }: LiveOptions): Promise<void> {
  const names = new Map<string, string>();
  const printer = new EventPrinter(names, palette);
  const cloudPrinter = new CloudPrinter(palette);
  let shown = false;
  const onEvent = (event: EdgeEvent): void => {
    // Before there is a camera there is nothing to see.
    if (!shown) return;
    if (event.type === 'stats') for (const line of cloudPrinter.linesOf(event)) print(line);
    const line = printer.lineOf(event);
    if (line !== undefined) print(line);
  };
  const venue = new CloudVenue({ run, onEvent, say, signal });
  try {
    say('looking at pictures of the guests');
    const described = await describeForBox(run, prepared.photo);
    await venue.open();
    say('enrolling the guests of two venues at the box');
    const { url, api } = await venue.box();
    const enrolled = await enrolByApi(api, described, Date.now());
    for (const { customerId, name } of enrolled) names.set(customerId, name);
    for (const line of introduction(enrolled, palette)) print(line);
    const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'loop' });
    try {
      shown = true;
      await giveCameras(await venue.client(), venue.enrolled.device, cameras.urls);
      for (const line of await invitation(url, await readAdminToken(run), palette)) print(line);
      for (const line of cloudInvitation(venue, palette, Date.now())) print(line);
      await venue.untilStopped();
    } finally {
      await cameras.stop();
    }
  } catch (error) {
    // Whatever an interrupt broke off is no failure.
    if (!signal.aborted) throw error;
  } finally {
    await venue.stop();
  }
}
