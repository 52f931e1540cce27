import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { createLogger } from '../../shared/log/create-logger.ts';

interface Options {
  readonly config: string;
  readonly tenant: string;
  readonly name: string;
  readonly contact?: string;
  readonly consentNotice: string;
  readonly consentPurpose: string;
  readonly consentUntil: string;
  readonly json?: true;
}

export function enrolFaceCommand(): Command {
  return new Command('enrol-face')
    .description('enrol a consenting customer from pictures, on a stand-alone box whose daemon is stopped')
    .argument('<picture...>', 'JPEG, PNG or WebP files that each show this person alone')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .requiredOption('--tenant <id>', 'tenant that the person is a customer of')
    .requiredOption('--name <name>', 'name of the person; sealed in the vault of the tenant')
    .option('--contact <text>', 'how to reach the person; sealed in the vault of the tenant')
    .requiredOption('--consent-notice <version>', 'version of the notice that the person agreed to')
    .requiredOption('--consent-purpose <text>', 'what the person agreed to')
    .requiredOption('--consent-until <date>', 'end of the consent (YYYY-MM-DD or ISO 8601)', parseDate)
    .option('--json', 'print the result as JSON')
    .action(enrolFace);
}

async function enrolFace(files: string[], options: Options): Promise<void> {
  const [{ loadConfig }, { openEnrolment }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/enrolment.ts'),
  ]);
  const images = await Promise.all(files.map((file) => readFile(file)));
  const enrolment = await openEnrolment(loadConfig(options.config), { logger: createLogger('enrol-face', { level: 'warn' }) });
  try {
    const result = await enrolment.enrol({
      tenant: options.tenant,
      name: options.name,
      ...(options.contact === undefined ? {} : { contact: options.contact }),
      consent: {
        noticeVersion: options.consentNotice,
        purpose: options.consentPurpose,
        givenAt: new Date().toISOString(),
        expiresAt: options.consentUntil,
      },
      images,
    });
    const text = `Enrolled as ${result.customerId} with ${result.faceIds.length} face(s).`;
    process.stdout.write(`${options.json ? JSON.stringify(result) : text}\n`);
  } finally {
    await enrolment.close();
  }
}

function parseDate(value: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('Not a date.');
  return date.toISOString();
}
