/** Outlines on a grid of 24, drawn for this page. */
const PATHS = {
  live: 'M3 6h11v12H3zM14 10l7-4v12l-7-4',
  sightings: 'M4 6h10M4 12h7M4 18h10M18 9a3 3 0 1 0 0-.01M13.5 19a4.5 4.5 0 0 1 9 0',
  people: 'M9 11a4 4 0 1 0 0-.01M2.5 20a6.5 6.5 0 0 1 13 0M16 7.5a3.2 3.2 0 0 1 0 6M18 15.5a5 5 0 0 1 3.5 4.5',
  search: 'M11 18a7 7 0 1 0 0-.01M16.2 16.2 21 21M9 12.5a2.5 2.5 0 0 0 4 0M9 9h.01M13 9h.01',
  cameras: 'M4 9l12-5 3 7-12 5zM7 16v5M3 21h8M19 11l2-1',
  system: 'M3 12h4l2.5-7 5 14L17 12h4',
  alert: 'M12 3 2.5 20h19zM12 10v4M12 17h.01',
  sun: 'M12 16.5a4.5 4.5 0 1 0 0-.01M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  auto: 'M3 5h18v11H3zM9 20h6M12 16v4',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  expand: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  check: 'M5 12.5l4.5 4.5L19 7',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  leave: 'M10 4H4v16h6M9 12h12M17 8l4 4-4 4',
  person: 'M12 12a4 4 0 1 0 0-.01M4.5 21a7.5 7.5 0 0 1 15 0',
} as const;
export type IconName = keyof typeof PATHS;

/** Decoration: the words beside it carry the meaning. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
