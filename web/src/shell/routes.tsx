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

/** Finds out who is signed in, or goes to the sign-in page, which leads back. */
async function requireSession({ context, location }: { context: { queryClient: QueryClient }; location: { href: string } }): Promise<{ account: Account }> {
  const session = await context.queryClient.query({ ...sessionQuery, staleTime: 'static' });
  if (!session) {
    throw redirect({ to: '/', search: { to: location.href } });
  }
  return { account: session.account };
}

const shell = lazyRouteComponent(() => import('./Shell'), 'Shell');

// Everything that needs a session is a child of one of these.

/** What concerns the whole installation, and oneself. */
export const adminRoute = createRoute({ getParentRoute: () => rootRoute, path: '/admin', beforeLoad: requireSession, component: shell });

/** RGW users. Programs call the API at the same addresses. */
export const rgwRoot = createRoute({ getParentRoute: () => rootRoute, path: '/rgw/users', beforeLoad: requireSession, component: shell });

/** Projects. */
export const projectsRoot = createRoute({ getParentRoute: () => rootRoute, path: '/projects', beforeLoad: requireSession, component: shell });
