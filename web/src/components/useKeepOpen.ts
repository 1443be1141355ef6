import { useQueryClient } from '@tanstack/react-query';
import { useBlocker, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

import { leave, sessionQuery } from '../api/session';

/**
 * Holds the page while something is shown that cannot be shown again: links and
 * the browser's back do nothing, closing or reloading asks first. A session that
 * ended meanwhile is left when it is closed.
 */
export function useKeepOpen(): void {
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: true });
  const queryClient = useQueryClient();
  const router = useRouter();
  useEffect(() => () => {
    if (queryClient.getQueryData(sessionQuery.queryKey) === null) {
      void leave(queryClient, router, router.state.location.href);
    }
  }, [queryClient, router]);
}
