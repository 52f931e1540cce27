import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finding } from './finding.ts';
import { NATIVE_MODULES, type NativeModule } from './native-modules.ts';

const PROBE = fileURLToPath(new URL('./probe-native.ts', import.meta.url));

/** Loads every native module in a process of its own and names the ones that do not work. */
export async function checkNativeModules(): Promise<Finding[]> {
  return await Promise.all(NATIVE_MODULES.map(checkNativeModule));
}

async function checkNativeModule(name: NativeModule): Promise<Finding> {
  const check = `native module ${name}`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [PROBE, name], {
      timeout: 20_000,
      // The probe loads ONNX Runtime itself: see edge/inference/no-telemetry.ts.
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    });
    return { check, state: 'ok', message: stdout };
  } catch (error) {
    return { check, state: 'fail', message: reasonOf(error), next: 'Install the dependencies again: npm ci' };
  }
}

/** The line of a failed process's stderr that tells the reason; the rest is a stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = 'stderr' in error ? String(error.stderr).split('\n') : [];
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? error.message.split('\n')[0] ?? error.name;
}
