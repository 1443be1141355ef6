import { queryOptions } from '@tanstack/react-query';

import { api, send } from '../../api/client';

/** What all that is read of one account begins with. */
export function heldKey(name: string): readonly string[] {
  return ['accounts', name];
}

export const accountSessionsQuery = (name: string) => queryOptions({
  queryKey: [...heldKey(name), 'sessions'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/accounts/{name}/sessions', { params: { path: { name } }, signal }))).data.items,
});

export const accountTokensQuery = (name: string) => queryOptions({
  queryKey: [...heldKey(name), 'tokens'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/accounts/{name}/tokens', { params: { path: { name } }, signal }))).data.items,
});
