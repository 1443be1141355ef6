import type { Schemas } from '../../api/client';
import type { Filter } from '../../components/FilterBar';
import { momentOf } from './range';

export type Result = Schemas['Event']['result'];

/** The search parameters of the page, named as the API's and as the flags of "keystile audit list". */
export const filterNames = [
  'action', 'access_key_id', 'account', 'backend', 'bucket', 'key', 'result', 'request_id', 'since', 'until',
] as const;

export type FilterName = (typeof filterNames)[number];
export type AuditSearch = Partial<Record<FilterName, string>>;

/** All but the time, which has a control of its own. */
export const chips: readonly Filter<Exclude<FilterName, 'since' | 'until'>>[] = [
  {
    name: 'action', label: 'Action begins with', placeholder: 's3.proxy.',
    suggestions: [
      's3.proxy.', 's3.proxy.getobject', 's3.proxy.putobject', 's3.proxy.deleteobject', 's3.proxy.listobjects',
      'credential.', 'binding.', 'account.', 'session.', 'token.', 'backend.', 'bucket.', 'audit.',
    ],
  },
  {
    name: 'result', label: 'Result',
    options: [
      { value: 'ok', label: 'ok' }, { value: 'denied', label: 'denied' },
      { value: 'error', label: 'error' }, { value: 'unknown', label: 'unknown' },
    ] satisfies { value: Result; label: string }[],
  },
  { name: 'access_key_id', label: 'Access key', placeholder: 'AKIA…' },
  { name: 'account', label: 'Account' },
  { name: 'backend', label: 'Backend' },
  { name: 'bucket', label: 'Bucket' },
  { name: 'key', label: 'Object key', placeholder: 'the whole key' },
  { name: 'request_id', label: 'Request id' },
];

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
