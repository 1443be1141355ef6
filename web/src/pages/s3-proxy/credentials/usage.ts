import type { Schemas } from '../../../api/client';
import { counted } from '../../../lib/text';

/** "Used 312 times in the last hour, 4,321 in 24 h": without a full stop. */
export function usageText({ last_hour, last_24h }: Pick<Schemas['CredentialTraffic'], 'last_hour' | 'last_24h'>): string {
  // The hour is to the minute and the day to the hour: together they never contradict.
  const day = Math.max(last_hour.requests, last_24h.requests);
  if (day === 0) {
    return 'Not used in the last 24 hours';
  }
  return `Used ${counted(last_hour.requests, 'time')} in the last hour, ${day.toLocaleString('en')} in 24 h`;
}
