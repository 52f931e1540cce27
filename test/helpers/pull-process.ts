import { readFileSync } from 'node:fs';
import { manifestSchema } from '../../models/registry/manifest-schema.ts';
import { pullModels } from '../../models/registry/pull-models.ts';

/** Process that pulls into the folder and by the manifest file that it is given, so that a test can kill it. */
const [store, manifestFile] = process.argv.slice(2);
if (store === undefined || manifestFile === undefined) throw new Error('usage: pull-process.ts STORE MANIFEST');
await pullModels({ store, manifest: manifestSchema.parse(JSON.parse(readFileSync(manifestFile, 'utf8'))) });
