import { sessions } from '../api/sessions.ts';
import { CamerasPage } from '../cameras/cameras-page.tsx';
import { hrefOf, PAGES, type PageName, type Route } from '../hooks/route.ts';
import { useAction } from '../hooks/use-action.ts';
import { useRoute } from '../hooks/use-route.ts';
import type { Theme } from '../hooks/use-theme.ts';
import { LivePage } from '../live/live-page.tsx';
import { ErrorBoundary } from '../parts/error-boundary.tsx';
import { Icon } from '../parts/icon.tsx';
import { Tenants } from '../parts/tenants.tsx';
import { PeoplePage } from '../people/people-page.tsx';
import { SearchPage } from '../search/search-page.tsx';
import { SightingsPage } from '../sightings/sightings-page.tsx';
import { SystemPage } from '../system/system-page.tsx';
import { VenuesPage } from '../venues/venues-page.tsx';
import { Mark } from './mark.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

const LABELS: Readonly<Record<PageName, string>> = {
  live: 'Live',
  sightings: 'Sightings',
  people: 'People',
  search: 'Search',
  cameras: 'Cameras',
  venues: 'Venues',
  system: 'System',
};

interface Props {
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  readonly onOut: () => void;
}

/** Frame around the pages: the way between them, the colours, the way out. */
export function Shell({ theme, onTheme, onOut }: Props) {
  const route = useRoute();
  const { busy, run } = useAction();
  const leave = (): void =>
    void run(async () => {
      await sessions.end();
      onOut();
    });
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the page
      </button>
      <nav className="nav" aria-label="Pages">
        <div className="nav-brand">
          <Mark />
          <span>SecureGate</span>
        </div>
        <ul>
          {PAGES.map((page) => (
            <li key={page}>
              <a href={hrefOf(page, { tenant: route.params.tenant })} aria-current={page === route.page ? 'page' : undefined}>
                <Icon name={page} />
                <span>{LABELS[page]}</span>
              </a>
            </li>
          ))}
        </ul>
        <div className="nav-foot">
          <ThemeSwitch theme={theme} onTheme={onTheme} />
          <button type="button" className="nav-leave" disabled={busy} onClick={leave}>
            <Icon name="leave" />
            <span>Log out</span>
          </button>
        </div>
      </nav>
      <main className="main" id="main" tabIndex={-1}>
        <ErrorBoundary key={route.page}>
          <Page page={route.page} params={route.params} />
        </ErrorBoundary>
      </main>
    </div>
  );
}

/** The pages about the box itself stand also where it has no venue yet. */
function Page({ page, params }: Route) {
  switch (page) {
    case 'system':
      return <SystemPage />;
    case 'venues':
      return <VenuesPage params={params} />;
    default:
      return (
        <Tenants>
          <VenuePage page={page} params={params} />
        </Tenants>
      );
  }
}

interface VenuePageProps {
  readonly page: Exclude<PageName, 'system' | 'venues'>;
  readonly params: Route['params'];
}

/** The pages about what happens at one venue or at all of them. */
function VenuePage({ page, params }: VenuePageProps) {
  switch (page) {
    case 'live':
      return <LivePage params={params} />;
    case 'sightings':
      return <SightingsPage params={params} />;
    case 'people':
      return <PeoplePage params={params} />;
    case 'search':
      return <SearchPage params={params} />;
    case 'cameras':
      return <CamerasPage params={params} />;
  }
}
