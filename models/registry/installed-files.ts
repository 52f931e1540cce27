import { join } from 'node:path';
import { z } from 'zod';
import type { ModelEntry } from './manifest-schema.ts';

/** What the models folder keeps beside the files of a model. */
export const installedRecordSchema = z.strictObject({
  /** SHA-256 of the file as its source has it, and of the file that is loaded. */
  sourceSha256: z.string(),
  modelSha256: z.string(),
  /** Name of the licence that the operator accepted; null where none had to be. */
  acceptedLicence: z.string().nullable(),
});
export type InstalledRecord = z.infer<typeof installedRecordSchema>;

export interface InstalledFiles {
  readonly folder: string;
  /** The file as its source has it. */
  readonly source: string;
  /** The file that is loaded: the rewritten one, or the source itself. */
  readonly model: string;
  readonly record: string;
}

/** Where the models folder keeps the files of one model: a folder of its own, which appears and goes as a whole. */
export function installedFiles(store: string, { id, rewrite }: ModelEntry): InstalledFiles {
  const folder = join(store, id);
  const source = join(folder, 'source.onnx');
  return { folder, source, model: rewrite === null ? source : join(folder, 'model.onnx'), record: join(folder, 'record.json') };
}
