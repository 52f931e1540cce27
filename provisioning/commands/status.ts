import { X509Certificate } from 'node:crypto';
import { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Enrolment, Link } from '../../shared/fleet/enrolment.ts';

interface Options {
  readonly config: string;
  readonly json?: true;
}

/** `securegate status`: how this box stands with its control plane. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show how this box stands with its control plane')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--json', 'print the result as JSON')
    .action(run);
}

async function run({ config: file, json }: Options): Promise<void> {
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
  process.stdout.write(json ? `${JSON.stringify(factsOf(enrolment, answer))}\n` : textOf(enrolment, answer));
}

function factsOf(enrolment: Enrolment, answer: Link | string) {
  const { device, cloud, fingerprint, certificate } = enrolment;
  const reached = typeof answer === 'object';
  const { org, name, state } = reached ? answer : enrolment;
  const certificateEnds = new Date(new X509Certificate(certificate).validTo).toISOString();
  return { device, org, name, state, cloud, fingerprint, certificateEnds, problem: reached ? null : answer };
}

function textOf(enrolment: Enrolment, answer: Link | string): string {
  const { device, org, name, state, cloud, fingerprint, certificateEnds, problem } = factsOf(enrolment, answer);
  return `Box:          ${device} (${name})
Org:          ${org}
State:        ${state}${problem === null ? '' : `, as it was when the control plane was last heard; now: ${problem}`}
Keys:         ${fingerprint}
Certificate:  until ${certificateEnds}
Cloud:        ${cloud}
`;
}
