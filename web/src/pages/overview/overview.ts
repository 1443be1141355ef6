import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';

export type Overview = Schemas['Overview'];

/** The last 24 hours, the current one among them. Counters are a few seconds old. */
export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  refetchInterval: 30_000,
  queryFn: async ({ signal }) => (await send(api.GET('/api/overview', { signal }))).data,
});

/** Whether any credential was ever made. */
export const anyCredentialQuery = queryOptions({
  queryKey: ['credentials', 'any'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/credentials', { params: { query: { limit: 1 } }, signal }))).data.items.length > 0,
});
