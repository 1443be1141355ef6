import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { useRouteContext } from '@tanstack/react-router';

import type { AppRouter } from '../router';
import { api, ApiError, type Schemas, send } from './client';

export type Account = Schemas['Account'];
export type SignedIn = Schemas['SignedIn'];

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  gcTime: Infinity,
  queryFn: async ({ signal }): Promise<SignedIn | null> => {
    try {
      return (await send(api.GET('/api/session', { signal }))).data;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 'unauthenticated') {
        return null;
      }
      throw thrown;
    }
  },
});

/** Facts of the installation: endpoint, region, version. */
export const serverQuery = queryOptions({
  queryKey: ['server'],
  staleTime: 300_000,
  queryFn: async ({ signal }) => (await send(api.GET('/api/server', { signal }))).data,
});

/** The signed-in account; for pages inside the shell. */
export function useAccount(): Account {
  const account = useRouteContext({ strict: false, select: (context) => context.account });
  if (!account) {
    throw new Error('this is only for pages that need a session');
  }
  return account;
}

/** Whether the signed-in account may do everything. */
export function useIsAdmin(): boolean {
  return useAccount().role === 'admin';
}

const guarded = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Sends the session's CSRF token with every change. When the server no longer
 * knows the session, goes to the sign-in page, which leads back here.
 */
export function connectSession(queryClient: QueryClient, router: AppRouter): void {
  api.use({
    onRequest({ request }) {
      const token = queryClient.getQueryData(sessionQuery.queryKey)?.csrf_token;
      if (token && guarded.has(request.method)) {
        request.headers.set('X-CSRF-Token', token);
      }
      return request;
    },
    onResponse({ response, schemaPath }) {
      if (response.status === 401 && schemaPath !== '/api/session' && queryClient.getQueryData(sessionQuery.queryKey)) {
        void leave(queryClient, router, router.state.location.href);
      }
      return response;
    },
  });
}

/** Forgets everything that was read and shows the sign-in page. */
export async function leave(queryClient: QueryClient, router: AppRouter, backTo?: string): Promise<void> {
  queryClient.setQueryData(sessionQuery.queryKey, null);
  await router.navigate({ to: '/', search: backTo ? { to: backTo } : {} });
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionQuery.queryKey[0] });
}
