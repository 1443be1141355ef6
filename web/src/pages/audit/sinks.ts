import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';

export type Sink = Schemas['Sink'];

export const sinksQuery = queryOptions({
  queryKey: ['audit', 'sinks'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/audit/sinks', { signal }))).data.items,
  refetchInterval: 30_000,
});

/** From how many records on a sink is behind, as the health of the server counts it. */
const behind = 1000;

/** What one should know of a sink; empty where it keeps up. */
export function trouble({ name, failing, lag }: Sink): string {
  const lacks = lag > 0 ? ` It lacks ${lag.toLocaleString('en')} ${lag === 1 ? 'record' : 'records'}.` : '';
  if (failing) {
    return `The sink ${name} takes nothing: ${failing}.${lacks}`;
  }
  return lag > behind ? `The sink ${name} is behind.${lacks}` : '';
}
