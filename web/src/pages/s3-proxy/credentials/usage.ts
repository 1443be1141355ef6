import { counted } from '../../../lib/text';

type Counted = { last_hour: { requests: number }; last_24h: { requests: number } };

/** "Used 312 times in the last hour, 4,321 in 24 h": without a full stop. */
export function usageText({ last_hour, last_24h }: Counted): string {
  // The hour is to the minute and the day to the hour: together they never contradict.
  const day = Math.max(last_hour.requests, last_24h.requests);
  if (day === 0) {
    return 'Not used in the last 24 hours';
  }
  return `Used ${counted(last_hour.requests, 'time')} in the last hour, ${day.toLocaleString('en')} in 24 h`;
}

/** The counters of several keys as those of one; undefined while one of them is not known. */
export function together(keys: readonly (Counted | undefined)[]): Counted | undefined {
  const sum: Counted = { last_hour: { requests: 0 }, last_24h: { requests: 0 } };
  for (const key of keys) {
    if (!key) {
      return undefined;
    }
    sum.last_hour.requests += key.last_hour.requests;
    // As above: a day has no less than its last hour.
    sum.last_24h.requests += Math.max(key.last_hour.requests, key.last_24h.requests);
  }
  return sum;
}
