const steps: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [30 * 86_400, 86_400, 'day'],
  [365 * 86_400, 30 * 86_400, 'month'],
  [Infinity, 365 * 86_400, 'year'],
];

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** Says how far a moment is from now: "3 minutes ago", "in 2 days", "now". */
export function relative(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 10) {
    return 'now';
  }
  for (const [limit, size, unit] of steps) {
    if (distance < limit) {
      return words.format(Math.trunc(seconds / size), unit);
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
