import type { Schemas } from '../../api/client';
import { clockSpan } from '../../lib/time';

type Hour = Pick<Schemas['TrafficHour'], 'hour'>;

const end = ({ hour }: Hour) => new Date(Date.parse(hour) + 3_600_000);

/** Which day and hour it is by the reader's clock: "Sat 21 Nov, 14:00–15:00". */
export function hourSpan(hour: Hour): string {
  return clockSpan(new Date(hour.hour), end(hour));
}

/** What the audit trail has of an hour's S3 requests: writes, refusals, and reads as far as they are recorded. */
export function eventsOf(hour: Hour): { action: string; since: string; until: string } {
  return { action: 's3.proxy.', since: hour.hour, until: end(hour).toISOString().replace('.000Z', 'Z') };
}
