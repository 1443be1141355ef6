// Below how many of a unit it is told in that unit.
const steps: readonly [below: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [60, 60, 'minute'],
  [48, 3600, 'hour'],
  [60, 86_400, 'day'],
  [24, 30.44 * 86_400, 'month'],
  [Infinity, 365.25 * 86_400, 'year'],
];

const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** Says how far a moment is from now: "3 minutes ago", "in 2 days", "now". */
export function relative(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1000;
  if (Math.abs(seconds) < 10) {
    return 'now';
  }
  for (const [below, size, unit] of steps) {
    const count = Math.round(seconds / size);
    if (Math.abs(count) < below) {
      return words.format(count, unit);
    }
  }
  return '';
}

/** Writes a moment in UTC to the second: "2026-11-21 12:00:00 UTC". */
export function utc(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Writes a moment in UTC to the millisecond: "2026-11-21 12:00:00.000 UTC". */
export function utcPrecise(moment: Date): string {
  return moment.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** Writes a moment as the reader's clock shows it, with its zone. */
export function local(moment: Date): string {
  return moment.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

/** The reader's clock: "14:00". */
export function clock(moment: Date): string {
  return moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** Two moments by the reader's clock, with the day of the first: "Sat 21 Nov, 14:00–15:00". */
export function clockSpan(from: Date, to: Date): string {
  const day = from.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  return `${day}, ${clock(from)}–${clock(to)}`;
}
