import { FAULTS } from './faults.ts';
import { runDrillOfMany } from './harness/run-drill-of-many.ts';
import { runDrills } from './run-drills.ts';

/** Entry of `npm run drill:faults`. */
await runDrillOfMany({
  script: 'drill:faults',
  description: 'break a box on purpose, one fault after the other, and see whether it holds what it promises',
  things: FAULTS,
  called: 'faults',
  quickly: '10 power cuts instead of 200',
  run: runDrills,
  titleOf: ({ fault }) => fault,
});
