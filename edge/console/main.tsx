import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { takeLoginLink } from './log-in/take-login-link.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/table.css';
import './styles/parts.css';
import './styles/dialog.css';
import './styles/shell.css';
import './sightings/sightings.css';
import './live/live.css';
import './people/people.css';
import './search/search.css';
import './cameras/cameras.css';
import './venues/venues.css';
import './system/system.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no root element');
const link = takeLoginLink(window.location, window.history);
// One that is pasted into the tab where the page is open changes the fragment alone, and nothing would be loaded.
window.addEventListener('hashchange', () => {
  if (window.location.hash.startsWith('#link=')) window.location.reload();
});
createRoot(root).render(
  <StrictMode>
    <App link={link} />
  </StrictMode>,
);
