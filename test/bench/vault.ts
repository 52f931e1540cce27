import { describeMachine } from './report/describe-machine.ts';
import { formatTable } from './report/format-table.ts';
import { countRepeats, measureEnvelopes } from './vault/measure-envelopes.ts';
import { measureVault, type VaultFigures } from './vault/measure-vault.ts';

/** How fast a vault is: its envelopes beside bare AES-GCM, and vaults of two sizes from their opening to the next epoch. */
const SIZES = [10_000, 100_000];
const ENVELOPES = 1_000_000;

const envelopes = await measureEnvelopes();
const repeats = countRepeats(ENVELOPES);
const vaults: VaultFigures[] = [];
for (const customers of SIZES) vaults.push(await measureVault(customers));

const row = (name: string, figure: (vault: VaultFigures) => number, unit: string): string[] => [
  name,
  ...vaults.map((vault) => `${figure(vault).toFixed(figure(vault) < 10 ? 1 : 0)} ${unit}`),
];
const perSecond = (figure: number): string => `${figure.toFixed(0)} a second`;
const lines = [
  ...describeMachine(),
  '',
  ...formatTable([
    ['a stored face', 'envelope', 'bare AES-256-GCM'],
    ['seal', perSecond(envelopes.seal), perSecond(envelopes.bareSeal)],
    ['open', perSecond(envelopes.open), perSecond(envelopes.bareOpen)],
  ]),
  `${repeats} salts or nonces came twice in ${ENVELOPES} envelopes`,
  '',
  ...formatTable([
    ['customers', ...vaults.map(({ customers }) => String(customers))],
    row('cold open', ({ coldOpenMs }) => coldOpenMs, 'ms'),
    row('search', ({ searchMs }) => searchMs, 'ms'),
    row('erase one', ({ eraseMs }) => eraseMs, 'ms'),
    row('move to the next epoch', ({ moveEpochMs }) => moveEpochMs, 'ms'),
    row('memory', ({ rssMb }) => rssMb, 'MB'),
  ]),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ envelopes, repeats, vaults })}\n`);
process.exitCode = repeats === 0 ? 0 : 1;
