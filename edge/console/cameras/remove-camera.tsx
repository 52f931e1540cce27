import { cameras } from '../api/cameras.ts';
import type { Camera } from '../api/types.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { useSay } from '../parts/toasts.tsx';

interface Props {
  readonly tenant: string;
  readonly camera: Camera;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}

export function RemoveCamera({ tenant, camera, onClose, onRemoved }: Props) {
  const say = useSay();
  const title = camera.title || camera.slug;
  const remove = async (): Promise<void> => {
    await cameras.remove(tenant, camera);
    say(`${title} is removed.`);
    onClose();
    onRemoved();
  };
  return (
    <ConfirmDialog title={`Remove ${title}?`} verb="Remove" onClose={onClose} onConfirm={remove}>
      <p>The box stops watching it and forgets its address. What it has seen stays in the list of sightings.</p>
    </ConfirmDialog>
  );
}
