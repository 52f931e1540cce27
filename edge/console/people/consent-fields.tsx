import { boxClock } from '../api/box-clock.ts';
import { Field } from '../parts/field.tsx';
import { dayAfter } from '../words/day.ts';
import type { ConsentDraft } from './consent-draft.ts';

interface Props {
  readonly draft: ConsentDraft;
  readonly onDraft: (draft: ConsentDraft) => void;
}

/** What somebody agreed to: without it, no face is kept. */
export function ConsentFields({ draft, onDraft }: Props) {
  const set = (change: Partial<ConsentDraft>): void => onDraft({ ...draft, ...change });
  return (
    <fieldset className="group">
      <legend>Consent</legend>
      <div className="field-row">
        <Field label="Notice shown" hint="Version printed on the notice.">
          {(control) => (
            <input
              {...control}
              required
              maxLength={64}
              placeholder="2026-1"
              value={draft.noticeVersion}
              onChange={(event) => set({ noticeVersion: event.target.value })}
            />
          )}
        </Field>
        <Field label="Holds until" hint="From the day after, the face is no longer recognised.">
          {(control) => (
            <input
              {...control}
              type="date"
              required
              min={dayAfter(0)}
              value={draft.until}
              onChange={(event) => set({ until: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label="Purpose">
        {(control) => (
          <input
            {...control}
            required
            maxLength={200}
            placeholder="Entry without ticket"
            value={draft.purpose}
            onChange={(event) => set({ purpose: event.target.value })}
          />
        )}
      </Field>
      <label className="check">
        <input
          type="checkbox"
          required
          checked={draft.agreedAt !== null}
          onChange={(event) => set({ agreedAt: event.target.checked ? new Date(boxClock.now()).toISOString() : null })}
        />
        <span>This person has read the notice and agreed to be recognised for this purpose.</span>
      </label>
    </fieldset>
  );
}
