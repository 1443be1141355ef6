import { useQuery, type UseQueryResult } from '@tanstack/react-query';

import { api, send } from '../../api/client';
import { type Owned, ownedOf } from './words';

/** Counts the credentials that an account owns. */
export function useOwned(owner: string): UseQueryResult<Owned> {
  return useQuery({
    queryKey: ['credentials', 'owned', owner],
    queryFn: async ({ signal }) => {
      const { data } = await send(api.GET('/api/credentials', { params: { query: { owner, limit: 1000 } }, signal }));
      return ownedOf(data.items.map((one) => one.status), data.next_cursor !== undefined);
    },
  });
}
