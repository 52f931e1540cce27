import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type Appliance, openAppliance } from './open-appliance.ts';

/** Whoever holds it open keeps a daemon from starting. @returns undefined while one runs */
export function openUnlessInUse(dataDir: string): Appliance | undefined {
  try {
    return openAppliance(dataDir);
  } catch (error) {
    if (SecureGateError.from(error).code === 'data_folder_in_use') return undefined;
    throw error;
  }
}
