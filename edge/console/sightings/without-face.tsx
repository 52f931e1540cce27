import { people } from '../api/people.ts';
import type { Customer, NewFace } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { PictureDrop } from '../parts/picture-drop.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';

interface Props {
  readonly tenant: string;
  readonly customer: Customer;
  readonly onFace: (face: NewFace) => void;
  readonly onRemoved: () => void;
}

/** After a refused face: the person is on record but cannot be recognised; two ways on. */
export function WithoutFace({ tenant, customer, onFace, onRemoved }: Props) {
  const { busy, problem, run } = useAction();
  return (
    <>
      <p>{customer.name} is on record now, without a face. Add a picture instead, or take the record back.</p>
      <PictureDrop
        label="Add a picture"
        busy={busy}
        onPicture={(picture) => void run(async () => onFace(await people.addFace(tenant, customer.id, picture)))}
      />
      {problem && <ProblemNotice problem={problem} />}
      <footer className="dialog-foot">
        <button
          type="button"
          className="button button-danger"
          disabled={busy}
          onClick={() =>
            void run(async () => {
              await people.remove(tenant, customer);
              onRemoved();
            })
          }
        >
          Take the record back
        </button>
      </footer>
    </>
  );
}
