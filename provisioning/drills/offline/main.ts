import { runDrillOfMany } from '../harness/run-drill-of-many.ts';
import { OFFLINE_CASES } from './offline-cases.ts';
import { runOfflineDrill } from './run-offline-drill.ts';

/** Entry of `npm run drill:offline`. */
await runDrillOfMany({
  script: 'drill:offline',
  description: 'cut a box off from its cloud, turn its clock, its disk and its TPM back, and see when its tenants are open',
  things: OFFLINE_CASES,
  called: 'cases',
  quickly: 'one level of enforcement for some of the cases',
  run: runOfflineDrill,
  titleOf: (result) => `${result.case}, ${result.enforcement}`,
});
