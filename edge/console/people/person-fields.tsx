import { Field } from '../parts/field.tsx';

export interface PersonDraft {
  readonly name: string;
  readonly contact: string;
}

interface Props {
  readonly draft: PersonDraft;
  readonly onDraft: (draft: PersonDraft) => void;
}

/** Who somebody is. */
export function PersonFields({ draft, onDraft }: Props) {
  return (
    <>
      <Field label="Name">
        {(control) => (
          <input
            {...control}
            required
            maxLength={200}
            autoComplete="off"
            value={draft.name}
            onChange={(event) => onDraft({ ...draft, name: event.target.value })}
          />
        )}
      </Field>
      <Field label="Contact (optional)">
        {(control) => (
          <input
            {...control}
            maxLength={500}
            autoComplete="off"
            value={draft.contact}
            onChange={(event) => onDraft({ ...draft, contact: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}
