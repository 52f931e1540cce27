import type { Finding } from './finding.ts';

/** Which execution provider the daemon would get, and why not a stronger one. */
export async function checkInference(wish: 'auto' | 'tensorrt' | 'cuda' | 'cpu'): Promise<Finding> {
  const check = 'inference';
  try {
    const { chooseProvider } = await import('../../edge/inference/execution-provider.ts');
    const { provider, fallbackReason } = await chooseProvider(wish);
    if (fallbackReason === null) return { check, state: 'ok', message: provider };
    const next = wish === 'auto' ? 'Nothing to do on a box without a GPU; else install its driver and libraries.' : 'See the reason.';
    return { check, state: wish === 'auto' ? 'ok' : 'warn', message: `${provider}; ${fallbackReason.split('\n')[0]}`, next };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : String(error);
    return { check, state: 'fail', message, next: 'Install the dependencies again: npm ci' };
  }
}
