import { tenants } from '../api/tenants.ts';
import { useAction } from '../hooks/use-action.ts';

interface Props {
  readonly venue: string;
  /** Called whether it opened or not: the table tells. */
  readonly onTried: () => void;
}

/** For whoever has mended what kept a venue's vault closed. */
export function OpenAgain({ venue, onTried }: Props) {
  const { busy, run } = useAction();
  const open = async (): Promise<void> => {
    await run(async () => void (await tenants.open(venue)));
    onTried();
  };
  return (
    <button type="button" className="button button-small" disabled={busy} onClick={() => void open()}>
      {busy ? 'Opening…' : 'Open again'}
    </button>
  );
}
