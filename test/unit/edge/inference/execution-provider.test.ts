import { expect, test } from 'vitest';
import { chooseProvider, probeProvider } from '../../../../edge/inference/execution-provider.ts';
import type { ExecutionProvider } from '../../../../edge/inference/model-session.ts';

/** A box on which only these providers work. */
function boxWith(...working: ExecutionProvider[]): (provider: ExecutionProvider) => Promise<void> {
  return async (provider) => {
    if (!working.includes(provider)) throw new Error(`no ${provider} here`);
  };
}

test.each<['auto' | ExecutionProvider, ExecutionProvider[], ExecutionProvider, string | null]>([
  ['auto', ['tensorrt', 'cuda'], 'tensorrt', null],
  ['auto', ['cuda'], 'cuda', 'tensorrt: no tensorrt here'],
  ['auto', [], 'cpu', 'tensorrt: no tensorrt here; cuda: no cuda here'],
  ['cuda', ['tensorrt', 'cuda'], 'cuda', null],
  ['cuda', ['tensorrt'], 'cpu', 'cuda: no cuda here'],
  ['cpu', ['tensorrt', 'cuda'], 'cpu', null],
])('%s where %j work: %s, because %s', async (wish, working, provider, fallbackReason) => {
  expect(await chooseProvider(wish, boxWith(...working))).toEqual({ provider, fallbackReason });
});

test('the real library opens a session on the CPU', async () => {
  await expect(probeProvider('cpu')).resolves.toBeUndefined();
});

test('the real library says why a provider is not to be had', async () => {
  const { provider, fallbackReason } = await chooseProvider('auto');
  // On a box with a GPU there is nothing to explain.
  if (provider === 'cpu') expect(fallbackReason).toMatch(/tensorrt: .+; cuda: .+/s);
  else expect(provider).toMatch(/tensorrt|cuda/);
});
