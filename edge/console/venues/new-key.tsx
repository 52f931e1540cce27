import { useState } from 'react';
import type { Scope } from '../../api/schemas/box.ts';
import { apiKeys } from '../api/api-keys.ts';
import type { CreatedApiKey } from '../api/types.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { dayAfter, endOf } from '../words/day.ts';
import { ScopeChoice } from './scope-choice.tsx';

const DEFAULT_DAYS = 365;

interface Props {
  readonly tenant: string;
  readonly onClose: () => void;
  readonly onMade: () => void;
}

/** Two steps: what the key is for, then the key itself, which nobody can read again. */
export function NewKey({ tenant, onClose, onMade }: Props) {
  const [title, setTitle] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const [until, setUntil] = useState(() => dayAfter(DEFAULT_DAYS));
  const [made, setMade] = useState<CreatedApiKey>();
  const make = async (): Promise<void> => {
    const expiry = until === '' ? {} : { expiresAt: endOf(until) };
    setMade(await apiKeys.add(tenant, { title: title.trim(), scopes: [...scopes], ...expiry }));
    onMade();
  };
  if (made) {
    return (
      <Dialog title={`The key of ${made.title}`} onClose={onClose}>
        <CopyField label="Key" value={made.key} />
        <p>
          <strong>It is shown this once.</strong> Put it where the program keeps its secrets; the box itself stores only what it takes to
          check it.
        </p>
        <footer className="dialog-foot">
          <button type="button" className="button button-primary" onClick={onClose}>
            Done
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <FormDialog title={`Make a key for ${tenant}`} verb="Make key" onSubmit={make} onClose={onClose}>
      <div className="field-row">
        <Field label="Program" hint="Who will use it.">
          {(control) => (
            <input
              {...control}
              required
              maxLength={100}
              autoComplete="off"
              placeholder="Ticket shop"
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <Field label="Valid until (optional)" hint="Empty: until it is revoked.">
          {(control) => (
            <input {...control} type="date" min={dayAfter(0)} value={until} onChange={(event) => setUntil(event.target.value)} />
          )}
        </Field>
      </div>
      <ScopeChoice chosen={scopes} onChosen={setScopes} />
    </FormDialog>
  );
}
