import { X509Certificate } from 'node:crypto';
import { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Enrolment, Link } from '../../shared/fleet/enrolment.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import type { Stats } from '../../shared/messages/events.ts';
import { runningBox } from '../terminal/running-box.ts';

interface Options {
  readonly config: string;
  readonly api?: string;
  readonly json?: true;
}

/** `securegate status`: how this box stands with its control plane. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show how this box stands with its control plane')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--api <url>', 'where the box is served, if not where its configuration says')
    .option('--json', 'print the result as JSON')
    .action(run);
}

async function run({ config: file, api, json }: Options): Promise<void> {
  const [{ loadConfig }, { LinkFolder }, { EstClient }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/link/enrolment/link-folder.ts'),
    import('../../edge/link/enrolment/est-client.ts'),
  ]);
  const { keyDir, link } = loadConfig(file);
  const folder = new LinkFolder(keyDir, link?.credential);
  const enrolment = folder.read();
  const { cloud, authorities, certificate } = enrolment;
  const client = new EstClient({ cloud, authorities, credentials: { key: folder.key.open(), certificate } });
  const answer = await client.link().catch((error: unknown) => SecureGateError.from(error).code);
  const running = await linkOfDaemon(file, api);
  process.stdout.write(json ? `${JSON.stringify({ ...factsOf(enrolment, answer), link: running })}\n` : textOf(enrolment, answer, running));
}

/** @returns undefined where no daemon answers; null where it has no link */
async function linkOfDaemon(config: string, api: string | undefined): Promise<Stats['link'] | undefined> {
  try {
    const box = await runningBox(config, api);
    return ((await box.ask('GET', '/v1/system')) as { stats: Stats }).stats.link;
  } catch {
    return undefined;
  }
}

function linkText(link: Stats['link'] | undefined): string {
  if (link === undefined) return 'unknown: the daemon does not answer';
  if (link === null) return 'none: the control plane has no broker, or the daemon cannot use the enrolment (its log says why)';
  const minutes = Math.floor(link.forMs / 60_000);
  const by = link.by === 'https' ? ' over HTTPS, because MQTT does not get through' : '';
  return `${link.connected ? 'connected' : 'cut off'} for ${minutes} min${by}${link.problem === null ? '' : `: ${link.problem}`}`;
}

const ANCHORS = {
  tpm: 'signed head in the TPM as well: a disk that is put back is noticed',
  disk: 'signed head on the disk alone: a disk that is put back is not noticed (`lease.tpm` of the configuration)',
} as const;

function factsOf(enrolment: Enrolment, answer: Link | string) {
  const { device, cloud, fingerprint, certificate } = enrolment;
  const reached = typeof answer === 'object';
  const { org, name, state } = reached ? answer : enrolment;
  const certificateEnds = new Date(new X509Certificate(certificate).validTo).toISOString();
  const orgKeys = enrolment.admins && adminsFingerprint(enrolment.admins);
  return { device, org, name, state, cloud, fingerprint, orgKeys, certificateEnds, problem: reached ? null : answer };
}

function textOf(enrolment: Enrolment, answer: Link | string, running: Stats['link'] | undefined): string {
  const { device, org, name, state, cloud, fingerprint, orgKeys, certificateEnds, problem } = factsOf(enrolment, answer);
  return `Box:          ${device} (${name})
Org:          ${org}
State:        ${state}${problem === null ? '' : `, as it was when the control plane was last heard; now: ${problem}`}
Keys:         ${fingerprint}
Org's keys:   ${orgKeys ?? 'none are pinned yet'}
Certificate:  until ${certificateEnds}
Cloud:        ${cloud}
Link:         ${linkText(running)}
Log:          ${running ? ANCHORS[running.anchor] : 'unknown'}
`;
}
