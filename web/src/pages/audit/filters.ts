import type { Schemas } from '../../api/client';
import { momentOf } from './range';

export type Result = Schemas['Event']['result'];

/** The search parameters of the page, named as the API's and as the flags of "keystile audit list". */
export const filterNames = [
  'action', 'access_key_id', 'account', 'backend', 'bucket', 'key', 'result', 'request_id', 'q', 'since', 'until',
] as const;

export type FilterName = (typeof filterNames)[number];
export type AuditSearch = Partial<Record<FilterName, string>>;

/** What the API is asked for. A time that says how long ago counts from now. */
export function toQuery(search: AuditSearch, now: Date) {
  const { result, since, until, ...rest } = search;
  return {
    ...rest,
    // The API refuses other words, and says so.
    ...(result ? { result: result as Result } : {}),
    ...(since ? { since: momentOf(since, now) } : {}),
    ...(until ? { until: momentOf(until, now) } : {}),
  };
}

export type ExportFormat = 'csv' | 'jsonl' | 'ocsf';

/** Where the same events are one file. */
export function exportAddress(search: AuditSearch, now: Date, format: ExportFormat): string {
  const query = new URLSearchParams({ ...toQuery(search, now), ...(format === 'ocsf' ? { schema: 'ocsf' } : {}) }).toString();
  return `/api/audit.${format === 'csv' ? 'csv' : 'jsonl'}${query && '?'}${query}`;
}
