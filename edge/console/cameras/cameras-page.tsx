import { useState } from 'react';
import { rooms } from '../api/rooms.ts';
import type { Camera } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { useAllCameras } from '../live/use-all-cameras.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { CameraDialog } from './camera-dialog.tsx';
import { CameraTable } from './camera-table.tsx';
import { RemoveCamera } from './remove-camera.tsx';

type Open = { readonly kind: 'add' } | { readonly kind: 'edit' | 'remove'; readonly camera: Camera };

export function CamerasPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const tenants = useTenants();
  const tenant = tenants.find(({ id }) => id === params.tenant)?.id ?? tenants[0]?.id ?? '';
  const { data, problem, loading, reload } = useAllCameras([tenant]);
  const known = useLoad(`rooms ${tenant}`, (signal) => rooms.list(tenant, signal)).data ?? [];
  const [open, setOpen] = useState<Open | undefined>(params.add ? { kind: 'add' } : undefined);
  const close = (): void => setOpen(undefined);
  return (
    <>
      <PageHead title="Cameras">
        <TenantChoice page="cameras" tenant={tenant} />
        <button type="button" className="button button-primary page-do" onClick={() => setOpen({ kind: 'add' })}>
          <Icon name="plus" /> Add a camera
        </button>
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading what="the cameras" />}
      {data?.length === 0 && (
        <Empty icon="cameras" title={`${tenant} has no camera yet`}>
          <p>Add one with its RTSP address; a test shows what the box sees there.</p>
        </Empty>
      )}
      {data && data.length > 0 && (
        <CameraTable
          cameras={data.map(({ camera }) => camera)}
          rooms={known}
          onEdit={(camera) => setOpen({ kind: 'edit', camera })}
          onRemove={(camera) => setOpen({ kind: 'remove', camera })}
        />
      )}
      {open?.kind === 'add' && <CameraDialog tenant={tenant} camera={undefined} rooms={known} onClose={close} onSaved={reload} />}
      {open?.kind === 'edit' && <CameraDialog tenant={tenant} camera={open.camera} rooms={known} onClose={close} onSaved={reload} />}
      {open?.kind === 'remove' && <RemoveCamera tenant={tenant} camera={open.camera} onClose={close} onRemoved={reload} />}
    </>
  );
}
