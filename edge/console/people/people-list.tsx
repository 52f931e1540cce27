import { useDeferredValue, useState } from 'react';
import { people } from '../api/people.ts';
import type { Customer } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useAction } from '../hooks/use-action.ts';
import { useLoad } from '../hooks/use-load.ts';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { consentState } from '../words/consent-state.ts';
import { initials } from '../words/initials.ts';

const PAGE = 100;

interface Props {
  readonly tenant: string;
  /** Customer whose profile is open. */
  readonly selected: string | undefined;
  /** Counts changes made elsewhere on the page; each one loads the list again. */
  readonly changes: number;
}

export function PeopleList({ tenant, selected, changes }: Props) {
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text.trim());
  const [more, setMore] = useState<{ after: unknown; items: readonly Customer[]; next: string | null }>();
  const action = useAction();
  const { data, problem, loading, reload } = useLoad(`people ${changes} ${wanted}`, (signal) =>
    people.list(tenant, { limit: PAGE, ...(wanted === '' ? {} : { query: wanted }) }, signal),
  );
  // Further pages belong to the first page they followed.
  const rest = more !== undefined && more.after === data ? more : undefined;
  const items = [...(data?.items ?? []), ...(rest?.items ?? [])];
  const next = rest ? rest.next : data?.next;
  const loadMore = (cursor: string): Promise<boolean> =>
    action.run(async () => {
      const filter = { limit: PAGE, cursor, ...(wanted === '' ? {} : { query: wanted }) };
      const page = await people.list(tenant, filter, new AbortController().signal);
      setMore({ after: data, items: [...(rest?.items ?? []), ...page.items], next: page.next });
    });
  return (
    <section className="panel people-list" aria-label="List of people">
      <input
        type="search"
        aria-label="Search by name"
        placeholder="Search by name"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={7} what="the people" />}
      {data && items.length === 0 && (
        <p className="quiet list-none">{wanted === '' ? `Nobody is enrolled at ${tenant} yet.` : `Nobody is called “${wanted}”.`}</p>
      )}
      <ul>
        {items.map((customer) => (
          <li key={customer.id}>
            <a
              className="person"
              href={hrefOf('people', { tenant, customer: customer.id })}
              aria-current={customer.id === selected ? 'true' : undefined}
            >
              <span className="monogram" aria-hidden="true">
                {initials(customer.name)}
              </span>
              <span className="person-name">
                <strong>{customer.name}</strong>
                <StateDot tone={customer.faces === 0 ? 'off' : consentState(customer).tone}>
                  {customer.faces === 0 ? 'No face yet' : consentState(customer).word}
                </StateDot>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {action.problem && <ProblemNotice problem={action.problem} />}
      {next && (
        <button type="button" className="button" disabled={action.busy} onClick={() => void loadMore(next)}>
          {action.busy ? 'Loading…' : 'Show more'}
        </button>
      )}
    </section>
  );
}
