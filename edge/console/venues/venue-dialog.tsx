import { useState } from 'react';
import { tenants } from '../api/tenants.ts';
import type { Tenant } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { goTo } from '../hooks/use-route.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { NumberInput } from '../parts/number-input.tsx';
import { SlugInput } from '../parts/slug-input.tsx';
import { useSay } from '../parts/toasts.tsx';
import { draftOf, policyOf, type VenueDraft, venueOf } from './venue-draft.ts';

interface Props {
  /** undefined for a new one. */
  readonly venue: Tenant | undefined;
  /** Organisation that a new venue most likely belongs to. */
  readonly org: string;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** Adds a venue, or changes its policy. */
export function VenueDialog({ venue, org, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(venue, org));
  const [key] = useState(() => crypto.randomUUID());
  const say = useSay();
  const set = (change: Partial<VenueDraft>): void => setDraft({ ...draft, ...change });
  const save = async (): Promise<void> => {
    if (venue === undefined) {
      const { id } = await tenants.add(venueOf(draft), key);
      say(`${id} is added; its vault is open.`);
      goTo(hrefOf('venues', { tenant: id }));
    } else {
      await tenants.change(venue.id, policyOf(draft));
      say('Saved.');
    }
    onClose();
    onSaved();
  };
  return (
    <FormDialog title={venue ? `Edit ${venue.id}` : 'Add a venue'} verb={venue ? 'Save' : 'Add venue'} onSubmit={save} onClose={onClose}>
      {venue === undefined && (
        <div className="field-row">
          <Field label="Short name" hint="Small letters, digits and dashes. Stays for good.">
            {(control) => <SlugInput control={control} placeholder="north-hall" value={draft.id} onChange={(id) => set({ id })} />}
          </Field>
          <Field label="Organisation" hint="Who runs the venue. Stays for good.">
            {(control) => (
              <SlugInput control={control} placeholder="city-venues" value={draft.org} onChange={(value) => set({ org: value })} />
            )}
          </Field>
        </div>
      )}
      <div className="field-row">
        <Field
          label="Says a name from similarity"
          hint="0 to 1. Higher: fewer wrong names, more guests missed. Empty: the model’s own limit."
        >
          {(control) => (
            <NumberInput control={control} min={0} max={1} value={draft.threshold} onChange={(threshold) => set({ threshold })} />
          )}
        </Field>
        <Field
          label="Keeps an unknown face for (seconds)"
          hint="1 to 60, in memory only. Then nothing of it is left, unless somebody enrols it."
        >
          {(control) => (
            <NumberInput
              control={control}
              required
              min={1}
              max={60}
              value={draft.ttlSeconds}
              onChange={(ttlSeconds) => set({ ttlSeconds })}
            />
          )}
        </Field>
        <Field label="Keeps sightings for (days)" hint="1 to 3650, today among them. Older ones are removed from the disk.">
          {(control) => (
            <NumberInput
              control={control}
              required
              whole
              min={1}
              max={3650}
              value={draft.sightingsDays}
              onChange={(sightingsDays) => set({ sightingsDays })}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
