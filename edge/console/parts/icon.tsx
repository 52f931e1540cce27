/** Outlines on a grid of 24, drawn for this page. */
const PATHS = {
  live: 'M3 6h11v12H3zM14 10l7-4v12l-7-4',
  sightings: 'M3 6h8M3 12h6M3 18h6M14 9a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M11.5 19.5a5.5 5.5 0 0 1 11 0',
  people: 'M5.2 8a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0 -7.6 0M2.5 20a6.5 6.5 0 0 1 13 0M16 4.6a3.6 3.6 0 0 1 0 6.8M18 14.2a6 6 0 0 1 3.5 5.8',
  search: 'M3.5 10.5a7 7 0 1 0 14 0a7 7 0 1 0 -14 0M15.6 15.6 21 21M8 12.5a3.2 3.2 0 0 0 5 0M8.5 8.8h.01M12.5 8.8h.01',
  cameras: 'M4 9l12-5 3 7-12 5zM7 16v5M3 21h8M19 11l2-1',
  venues: 'M4 21V5l8-2v18M12 8l8 2v11M2.5 21h19M7.5 8.5h.01M7.5 12.5h.01M7.5 16.5h.01M16 13.5h.01M16 17h.01',
  system: 'M3 12h4l2.5-7 5 14L17 12h4',
  alert: 'M12 3 2.5 20h19zM12 10v4M12 17h.01',
  sun: 'M7.7 12a4.3 4.3 0 1 0 8.6 0a4.3 4.3 0 1 0 -8.6 0M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  auto: 'M3 5h18v11H3zM9 20h6M12 16v4',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  expand: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5l4.5 4.5L19 7',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  leave: 'M10 4H4v16h6M9 12h12M17 8l4 4-4 4',
  person: 'M8 8a4 4 0 1 0 8 0a4 4 0 1 0 -8 0M4.5 21a7.5 7.5 0 0 1 15 0',
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
