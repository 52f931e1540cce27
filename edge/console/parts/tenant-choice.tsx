import { hrefOf, type PageName } from '../hooks/route.ts';
import { goTo } from '../hooks/use-route.ts';
import { Choice } from './choice.tsx';
import { useTenants } from './tenants.tsx';

/** More of them do not fit side by side. */
const MOST_IN_A_ROW = 5;

interface Props {
  readonly page: PageName;
  /** Empty for all venues. */
  readonly tenant: string;
  /** Whether all venues can be chosen together. */
  readonly all?: boolean;
}

/** Chooses the venue that a page is about; the choice is part of the page's address. */
export function TenantChoice({ page, tenant, all = false }: Props) {
  const venues = useTenants().map(({ id }) => ({ value: id, label: id }));
  const options = all ? [{ value: '', label: 'All venues' }, ...venues] : venues;
  const choose = (chosen: string): void => goTo(hrefOf(page, { tenant: chosen }));
  if (venues.length < 2) return null;
  if (venues.length <= MOST_IN_A_ROW) return <Choice label="Venue" value={tenant} options={options} onChange={choose} />;
  return (
    <select aria-label="Venue" value={tenant} onChange={(event) => choose(event.target.value)}>
      {options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}
