import { useState } from 'react';
import { rooms } from '../api/rooms.ts';
import type { Room } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { RoomDialog } from './room-dialog.tsx';

type Open = { readonly kind: 'add' } | { readonly kind: 'edit' | 'remove'; readonly room: Room };

/** The rooms of a venue, for its cameras to stand in. */
export function RoomsCard({ tenant }: { readonly tenant: string }) {
  const { data, problem, loading, reload } = useLoad(`rooms ${tenant}`, (signal) => rooms.list(tenant, signal));
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <section className="panel card" aria-label="Rooms">
      <header className="card-head">
        <h2>Rooms of {tenant}</h2>
        <button type="button" className="button button-small" onClick={() => setOpen({ kind: 'add' })}>
          <Icon name="plus" /> Add a room
        </button>
      </header>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={2} what="the rooms" />}
      {data?.length === 0 && <p className="quiet">No room yet. A camera can say in which room it stands.</p>}
      <ul className="rooms">
        {data?.map((room) => (
          <li key={room.id}>
            <span>
              <strong>{room.title}</strong>
              {room.capacity !== undefined && <span className="quiet"> · {room.capacity} people</span>}
            </span>
            <span className="row-do">
              <button
                type="button"
                className="button button-icon"
                onClick={() => setOpen({ kind: 'edit', room })}
                aria-label={`Edit ${room.title}`}
              >
                <Icon name="edit" />
              </button>
              <button
                type="button"
                className="button button-icon"
                onClick={() => setOpen({ kind: 'remove', room })}
                aria-label={`Remove ${room.title}`}
              >
                <Icon name="remove" />
              </button>
            </span>
          </li>
        ))}
      </ul>
      {open?.kind === 'add' && <RoomDialog tenant={tenant} room={undefined} onClose={close} onSaved={reload} />}
      {open?.kind === 'edit' && <RoomDialog tenant={tenant} room={open.room} onClose={close} onSaved={reload} />}
      {open?.kind === 'remove' && (
        <ConfirmDialog
          title={`Remove ${open.room.title}?`}
          verb="Remove"
          onClose={close}
          onConfirm={async () => {
            await rooms.remove(tenant, open.room);
            close();
            reload();
          }}
        >
          <p>Cameras that stand in it go on, without a room.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}
