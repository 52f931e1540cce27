import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Enrolment, Link } from '../../shared/fleet/enrolment.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import type { Stats } from '../../shared/messages/events.ts';
import { askingBox, type BoxOptions, runningBox } from '../terminal/running-box.ts';

interface Options extends BoxOptions {
  readonly json?: true;
}

/** What the daemon says of its link, or why that is not known; null where it has none. */
type Running = Stats['link'] | { readonly unknown: string };

/** `securegate status`: how this box stands with its control plane. */
export function statusCommand(): Command {
  return askingBox('status')
    .description('show how this box stands with its control plane')
    .option('--json', 'print the result as JSON')
    .action(run);
}

async function run({ json, ...options }: Options): Promise<void> {
  const [{ loadConfig }, { LinkFolder }, { EstClient }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/link/enrolment/link-folder.ts'),
    import('../../edge/link/enrolment/est-client.ts'),
  ]);
  const { keyDir, link } = loadConfig(options.config);
  const folder = new LinkFolder(keyDir, link?.credential);
  const enrolment = folder.read();
  const { cloud, authorities, certificate } = enrolment;
  const client = new EstClient({ cloud, authorities, credentials: { key: folder.key.open(), certificate } });
  const answer = await client.link().catch((error: unknown) => SecureGateError.from(error).code);
  const running = await linkOfDaemon(options);
  const told = isUnknown(running) ? undefined : running;
  process.stdout.write(json ? `${JSON.stringify({ ...factsOf(enrolment, answer), link: told })}\n` : textOf(enrolment, answer, running));
}

async function linkOfDaemon(options: BoxOptions): Promise<Running> {
  try {
    const box = await runningBox(options);
    return ((await box.ask('GET', '/v1/system')) as { stats: Stats }).stats.link;
  } catch (error) {
    const { code, message } = SecureGateError.from(error);
    return { unknown: code === 'box_unreachable' ? 'the daemon does not answer' : message };
  }
}

function isUnknown(running: Running): running is { readonly unknown: string } {
  return running !== null && 'unknown' in running;
}

function linkText(link: Running): string {
  if (isUnknown(link)) return `unknown: ${link.unknown}`;
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

function textOf(enrolment: Enrolment, answer: Link | string, running: Running): string {
  const { device, org, name, state, cloud, fingerprint, orgKeys, certificateEnds, problem } = factsOf(enrolment, answer);
  return `Box:          ${device} (${name})
Org:          ${org}
State:        ${state}${problem === null ? '' : `, as it was when the control plane was last heard; now: ${problem}`}
Keys:         ${fingerprint}
Org's keys:   ${orgKeys ?? 'none are pinned yet'}
Certificate:  until ${certificateEnds}
Cloud:        ${cloud}
Link:         ${linkText(running)}
Log:          ${running === null || isUnknown(running) ? 'unknown' : ANCHORS[running.anchor]}
`;
}
