import { type ExecutionProvider, PROVIDERS } from './model-session.ts';
import { InferenceSession } from './onnx-runtime.ts';

export interface ChosenProvider {
  readonly provider: ExecutionProvider;
  /** Why a stronger provider than this one is not used, for people; null when the wish was met. */
  readonly fallbackReason: string | null;
}

/** ONNX model (IR 6, opset 9) of one `Identity` node: enough to make a provider load its libraries and open its device. */
const PROBE_MODEL = Buffer.from('CAY6NwoQCgF4EgF5IghJZGVudGl0eRIBcFoPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCAhAJ', 'base64');

/** Opens and closes a session on a provider; rejects when that does not work. */
export async function probeProvider(provider: ExecutionProvider): Promise<void> {
  const session = await InferenceSession.create(PROBE_MODEL, { executionProviders: [provider] });
  await session.release();
}

/**
 * Takes the strongest execution provider that works, from the wished one downwards (tensorrt, cuda, cpu); `auto` begins at
 * the top. A wish that cannot be met is no reason to stop: the box goes on more slowly and says why.
 */
export async function chooseProvider(
  wish: 'auto' | ExecutionProvider,
  probe: (provider: ExecutionProvider) => Promise<void> = probeProvider,
): Promise<ChosenProvider> {
  const candidates = wish === 'auto' ? PROVIDERS : PROVIDERS.slice(PROVIDERS.indexOf(wish));
  const reasons: string[] = [];
  for (const provider of candidates) {
    if (provider === 'cpu') break;
    try {
      await probe(provider);
      return { provider, fallbackReason: reasons.length === 0 ? null : reasons.join('; ') };
    } catch (error) {
      reasons.push(`${provider}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { provider: 'cpu', fallbackReason: reasons.length === 0 ? null : reasons.join('; ') };
}
