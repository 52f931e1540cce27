import type { Camera, Room } from '../api/types.ts';
import { Field } from '../parts/field.tsx';
import { NumberInput } from '../parts/number-input.tsx';
import { SlugInput } from '../parts/slug-input.tsx';
import { type CameraDraft, TILES } from './camera-draft.ts';

interface Props {
  readonly draft: CameraDraft;
  readonly camera: Camera | undefined;
  readonly rooms: readonly Room[];
  readonly onDraft: (draft: CameraDraft) => void;
}

export function CameraFields({ draft, camera, rooms, onDraft }: Props) {
  const set = (change: Partial<CameraDraft>): void => onDraft({ ...draft, ...change });
  const added = camera === undefined;
  return (
    <>
      <Field
        label="Address"
        hint={
          added
            ? 'User and password may be part of it. They are kept sealed and never shown again.'
            : `Now ${camera.address}. Leave it empty to keep it.`
        }
      >
        {(control) => (
          <input
            {...control}
            required={added}
            maxLength={2000}
            autoComplete="off"
            spellCheck={false}
            placeholder="rtsp://user:password@10.0.4.21/stream1"
            value={draft.url}
            onChange={(event) => set({ url: event.target.value })}
          />
        )}
      </Field>
      <div className="field-row">
        <Field label="Short name" hint={added ? 'Small letters, digits and dashes. Stays for good.' : 'Cannot be changed.'}>
          {(control) => (
            <SlugInput control={control} disabled={!added} placeholder="north-gate" value={draft.slug} onChange={(slug) => set({ slug })} />
          )}
        </Field>
        <Field label="Title (optional)">
          {(control) => (
            <input
              {...control}
              maxLength={200}
              placeholder="North gate"
              value={draft.title}
              onChange={(event) => set({ title: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="field-row">
        <Field label="Pictures a second">
          {(control) => <NumberInput control={control} required min={0.2} max={30} value={draft.fps} onChange={(fps) => set({ fps })} />}
        </Field>
        <Field label="Look closer in" hint="Finds small, distant faces; costs as much more work.">
          {(control) => (
            <select {...control} value={draft.tiles} onChange={(event) => set({ tiles: event.target.value })}>
              {[...new Set<string>([...TILES, draft.tiles])].map((tiles) => (
                <option key={tiles} value={tiles}>
                  {tiles === '1x1' ? 'the whole picture' : `${tiles.replace('x', ' × ')} parts`}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field label="Room" hint={rooms.length === 0 ? 'This venue has no rooms yet; they are added on the page Venues.' : undefined}>
        {(control) => (
          <select {...control} value={draft.roomId} onChange={(event) => set({ roomId: event.target.value })}>
            <option value="">none</option>
            {rooms.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}
