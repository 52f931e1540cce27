import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { readPerson } from '../terminal/read-person.ts';

interface Options {
  readonly config: string;
  readonly tenant: string;
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
    .requiredOption('--consent-notice <version>', 'version of the notice that the person agreed to')
    .requiredOption('--consent-purpose <text>', 'what the person agreed to')
    .requiredOption(
      '--consent-until <date>',
      'when the consent ends: YYYY-MM-DD (the first moment of that day, UTC) or ISO 8601',
      parseDate,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The name of the person, and on a second line how to reach them, are asked for or read from standard input: arguments would
show them to every user of this machine. Both are sealed in the vault of the tenant.`,
    )
    .action(enrolFace);
}

async function enrolFace(files: string[], options: Options): Promise<void> {
  const [{ loadConfig }, { openEnrolment }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/enrolment.ts'),
  ]);
  const images = await Promise.all(files.map(readPicture));
  const enrolment = await openEnrolment(loadConfig(options.config), { logger: createLogger('enrol-face', { level: 'warn' }) });
  try {
    // Asked for last: nobody types a name for pictures or a box that are not there.
    const person = await readPerson(process.stdin, process.stderr);
    const result = await enrolment
      .enrol({
        tenant: options.tenant,
        ...person,
        consent: {
          noticeVersion: options.consentNotice,
          purpose: options.consentPurpose,
          givenAt: new Date().toISOString(),
          expiresAt: options.consentUntil,
        },
        images,
      })
      .catch((error: unknown) => {
        throw withPicture(error, files);
      });
    const text = `Enrolled as ${result.customerId} with ${result.faceIds.length} face(s).`;
    process.stdout.write(`${options.json ? JSON.stringify(result) : text}\n`);
  } finally {
    await enrolment.close();
  }
}

async function readPicture(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new SecureGateError('file_unreadable', `cannot read ${file}`, { cause, details: { file } });
  });
}

/** The error with the name of the picture at fault, where it is one picture's. */
function withPicture(error: unknown, files: readonly string[]): SecureGateError {
  const { code, message, details } = SecureGateError.from(error);
  const { image, ...others } = details;
  return new SecureGateError(code, message, {
    cause: error,
    details: typeof image === 'number' ? { ...others, picture: files[image] } : details,
  });
}

const dateSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** Nothing but ISO 8601: whoever reads 06/07/2027 as another day than its writer breaks a consent. */
function parseDate(value: string): string {
  if (!dateSchema.safeParse(value).success) throw new InvalidArgumentError('Not a date such as 2027-06-30.');
  return new Date(value).toISOString();
}
