const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** `12 Dec 2026` */
export const formatDay = (iso: string): string => day.format(new Date(iso));
/** `19:04:31` */
export const formatClock = (iso: string): string => clock.format(new Date(iso));
/** `12 Dec 2026, 19:04` */
export const formatMoment = (iso: string): string => `${formatDay(iso)}, ${minute.format(new Date(iso))}`;

/** `Today`, `Yesterday` or the day by name. */
export function formatRelativeDay(iso: string, now: number): string {
  const date = new Date(iso);
  if (date.toDateString() === new Date(now).toDateString()) return 'Today';
  if (date.toDateString() === new Date(now - 86_400_000).toDateString()) return 'Yesterday';
  return weekday.format(date);
}

/** `just now`, `40 s ago`, `12 min ago`, `3 h ago`, then the day. */
export function formatAgo(iso: string, now: number): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return formatDay(iso);
}

/** `4 d 3 h`, `3 h 12 min`, `12 min 5 s`, `5 s` */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}
