import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';

import { accountsQuery } from '../../api/accounts';
import { sessionQuery, useAccount } from '../../api/session';

/**
 * Reads anew what a change of an account concerns. After one of the own account
 * the session is asked first: it may have ended, or have another role.
 */
export function useChanged(name: string): () => Promise<void> {
  const queryClient = useQueryClient();
  const router = useRouter();
  const own = useAccount().name === name;
  return async () => {
    if (own) {
      await queryClient.query({ ...sessionQuery, staleTime: 0 });
      await router.invalidate();
      return;
    }
    await queryClient.invalidateQueries(accountsQuery);
    void queryClient.invalidateQueries({ queryKey: ['credentials'] });
  };
}
