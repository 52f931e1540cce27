import { hrefOf, type PageName } from '../hooks/route.ts';
import { goTo } from '../hooks/use-route.ts';
import { Choice } from './choice.tsx';
import { useTenants } from './tenants.tsx';

interface Props {
  readonly page: PageName;
  /** Empty for all venues. */
  readonly tenant: string;
  /** Whether all venues can be chosen together. */
  readonly all?: boolean;
}

/** Chooses the venue that a page is about; the choice is part of the page's address. */
export function TenantChoice({ page, tenant, all = false }: Props) {
  const options = useTenants().map(({ id }) => ({ value: id, label: id }));
  if (options.length < 2) return null;
  return (
    <Choice
      label="Venue"
      value={tenant}
      options={all ? [{ value: '', label: 'All venues' }, ...options] : options}
      onChange={(chosen) => goTo(hrefOf(page, { tenant: chosen }))}
    />
  );
}
