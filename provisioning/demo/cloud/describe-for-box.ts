import { createLogger } from '../../../shared/log/create-logger.ts';
import { type DescribedGuest, describeGuests } from '../enrolment/describe-guests.ts';
import { withEnrolment } from '../enrolment/enrol-guests.ts';
import { type RunFolder, writeEnrolledConfig } from '../run-folder.ts';

/** Configures the box, and looks at pictures of the guests with its models while its daemon does not run. */
export async function describeForBox(run: RunFolder, photo: (number: number) => string): Promise<DescribedGuest[]> {
  const { loadConfig } = await import('../../../edge/config/load-config.ts');
  await writeEnrolledConfig(run);
  const logger = createLogger('demo', { level: 'warn' });
  return await withEnrolment(loadConfig(run.config), logger, (enrolment) => describeGuests(enrolment, photo));
}
