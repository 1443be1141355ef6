import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import type { ComponentType } from 'react';

import { type Account, sessionQuery } from '../api/session';

/** How the navigation shows a page. */
export interface NavEntry {
  label: string;
  icon: ComponentType;
  /** Places from the top; lower is higher. */
  order: number;
  /** Who sees it; absent: everybody. */
  roles?: readonly Account['role'][];
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    nav?: NavEntry;
  }
}

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()();

/** Everything that needs a session. Pages are its children. */
export const adminRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/admin',
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.query({ ...sessionQuery, staleTime: 'static' });
    if (!session) {
      throw redirect({ to: '/', search: { to: location.href } });
    }
    return { account: session.account };
  },
  component: lazyRouteComponent(() => import('./Shell'), 'Shell'),
});
