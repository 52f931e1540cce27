// The last line of .ci/run: what the test report says. No report or no test is a failure.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(new URL('report.json', import.meta.url), 'utf8'));
const skipped = report.numPendingTests + report.numTodoTests;
if (report.numPassedTests === 0 || report.numFailedTests > 0 || !report.success) process.exitCode = 1;
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
