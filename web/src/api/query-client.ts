import { QueryClient } from '@tanstack/react-query';

import { asApiError } from './client';

/** Reads are retried while the server may come back; refusals are final. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, thrown) => {
          const { code, status } = asApiError(thrown);
          return failures < 2 && (code === 'unreachable' || status >= 500);
        },
      },
    },
  });
}
