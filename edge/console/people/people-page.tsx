import { useState } from 'react';
import { hrefOf } from '../hooks/route.ts';
import { goTo } from '../hooks/use-route.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { AddPerson } from './add-person.tsx';
import { PeopleList } from './people-list.tsx';
import { Profile } from './profile.tsx';

/** The people of one venue: the list beside the profile. */
export function PeoplePage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const tenants = useTenants();
  const tenant = tenants.find(({ id }) => id === params.tenant)?.id ?? tenants[0]?.id ?? '';
  const [adding, setAdding] = useState(false);
  const [changes, setChanges] = useState(0);
  const changed = (): void => setChanges((count) => count + 1);
  return (
    <>
      <PageHead title="People">
        <TenantChoice page="people" tenant={tenant} />
        <button type="button" className="button button-primary page-do" onClick={() => setAdding(true)}>
          <Icon name="plus" /> Add a person
        </button>
      </PageHead>
      <div className={params.customer ? 'people people-open' : 'people'}>
        <PeopleList key={tenant} tenant={tenant} selected={params.customer} changes={changes} />
        {params.customer ? (
          <Profile
            key={params.customer}
            tenant={tenant}
            id={params.customer}
            onChanged={changed}
            onRemoved={() => {
              changed();
              goTo(hrefOf('people', { tenant }));
            }}
          />
        ) : (
          <div className="panel people-none">
            <Empty icon="people" title="Choose somebody from the list">
              <p>Their consent, their pictures and where they were seen appear here.</p>
            </Empty>
          </div>
        )}
      </div>
      {adding && <AddPerson tenant={tenant} onClose={() => setAdding(false)} onAdded={changed} />}
    </>
  );
}
