import { queryOptions } from '@tanstack/react-query';

import { api, send } from './client';

/** All accounts. For admins. */
export const accountsQuery = queryOptions({
  queryKey: ['accounts'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/accounts', { signal }))).data.items,
});
