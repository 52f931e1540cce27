import type { EnrolledGuest } from '../enrolment/enrol-guests.ts';
import { type Findings, findingLines } from '../scan/scan-folder.ts';
import type { Watch } from '../watch.ts';
import { type DemoResult, makeResult } from './make-result.ts';
import { scoreSightings } from './score-sightings.ts';

export interface Evidence {
  readonly watch: Watch;
  readonly enrolled: readonly EnrolledGuest[];
  readonly foreignCandidates: number;
  readonly leaks: readonly Findings[];
}

/** Compares a run with its script. @param say takes a line for people about everything that went other than it should */
export function judge({ watch, enrolled, foreignCandidates, leaks }: Evidence, say: (line: string) => void): DemoResult {
  const score = scoreSightings(watch.sightings, new Map(enrolled.map((guest) => [guest.customerId, guest])));
  for (const remark of score.remarks) say(remark);
  for (const line of findingLines(leaks)) say(line);
  return makeResult({ stats: watch.stats, score, foreignCandidates, leaks });
}
