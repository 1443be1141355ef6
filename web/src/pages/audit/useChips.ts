import { useQuery } from '@tanstack/react-query';

import { accountsQuery } from '../../api/accounts';
import { backendsQuery } from '../../api/buckets';
import type { Filter } from '../../components/FilterBar';
import type { FilterName, Result } from './filters';

const actions = [
  's3.proxy.', 's3.proxy.getobject', 's3.proxy.putobject', 's3.proxy.deleteobject', 's3.proxy.listobjects',
  'credential.', 'binding.', 'account.', 'session.', 'token.', 'backend.', 'bucket.', 'audit.',
];

const results = ['ok', 'denied', 'error', 'unknown'] as const satisfies Result[];

/** The filters of the page but the time, which has a control of its own. */
export function useChips(): Filter<Exclude<FilterName, 'since' | 'until'>>[] {
  const accounts = useQuery(accountsQuery).data ?? [];
  const backends = useQuery(backendsQuery).data ?? [];
  return [
    { name: 'action', label: 'Action begins with', placeholder: 's3.proxy.', suggestions: actions },
    { name: 'result', label: 'Result', options: results.map((value) => ({ value, label: value })) },
    { name: 'access_key_id', label: 'Access key', placeholder: 'AKIA…' },
    { name: 'account', label: 'Account', suggestions: accounts.map(({ name }) => name) },
    { name: 'backend', label: 'Backend', suggestions: backends.map(({ id }) => id) },
    { name: 'bucket', label: 'Bucket' },
    { name: 'key', label: 'Object key', placeholder: 'the whole key' },
    { name: 'request_id', label: 'Request id' },
    { name: 'q', label: 'Words', placeholder: 'in key or detail' },
  ];
}
