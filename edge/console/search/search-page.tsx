import { useState } from 'react';
import { people } from '../api/people.ts';
import type { SearchResult } from '../api/types.ts';
import { useAction } from '../hooks/use-action.ts';
import { useObjectUrl } from '../hooks/use-object-url.ts';
import { PageHead } from '../parts/page-head.tsx';
import { PictureDrop } from '../parts/picture-drop.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { SearchAnswer } from './search-answer.tsx';

/** Who is on this picture? Asked among the people of one venue. */
export function SearchPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const tenants = useTenants();
  const tenant = tenants.find(({ id }) => id === params.tenant)?.id ?? tenants[0]?.id ?? '';
  return (
    <>
      <PageHead title="Search by picture">
        <TenantChoice page="search" tenant={tenant} />
      </PageHead>
      <Search key={tenant} tenant={tenant} />
    </>
  );
}

function Search({ tenant }: { readonly tenant: string }) {
  const [file, setFile] = useState<File>();
  const [result, setResult] = useState<SearchResult>();
  const url = useObjectUrl(file);
  const { busy, problem, run } = useAction();
  const search = (picture: File): void => {
    setFile(picture);
    setResult(undefined);
    void run(async () => setResult(await people.search(tenant, picture, new AbortController().signal)));
  };
  return (
    <div className="search">
      <section className="panel search-picture" aria-label="Picture">
        {/* A file that is no picture is told of by the box. */}
        {url !== undefined && problem?.code !== 'not_an_image' && <img src={url} alt="Searched for" />}
        <PictureDrop label={file ? 'Search with another picture' : 'Choose or drop a picture'} busy={busy} onPicture={search} />
        <p className="quiet">The picture is compared on this box and not kept.</p>
      </section>
      <section className="panel search-answer" aria-label="Answer" aria-live="polite">
        {problem && <ProblemNotice problem={problem} />}
        {result && <SearchAnswer tenant={tenant} result={result} />}
        {!problem && !result && (
          <p className="quiet">
            {busy ? 'Comparing…' : `The most similar people enrolled at ${tenant} appear here, with how sure the box is.`}
          </p>
        )}
      </section>
    </div>
  );
}
