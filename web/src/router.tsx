import type { QueryClient } from '@tanstack/react-query';
import { createRouter } from '@tanstack/react-router';

import { parseSearch, stringifySearch } from './lib/search';
import { accountsRoutes } from './pages/accounts/routes';
import { auditRoutes } from './pages/audit/routes';
import { backendsRoutes } from './pages/backends/routes';
import { overviewRoute } from './pages/overview/route';
import { profileRoute } from './pages/profile/ProfilePage';
import { projectsRoutes } from './pages/projects/routes';
import { rgwRoutes } from './pages/rgw/routes';
import { s3ProxyRoutes } from './pages/s3-proxy/routes';
import { signInRoute } from './pages/sign-in/SignInPage';
import { usageRoute } from './pages/usage/routes';
import { webhooksRoutes } from './pages/webhooks/routes';
import { PageFailed, PageMissing } from './shell/PageStates';
import { adminRoute, rootRoute } from './shell/routes';

// A page is added here, and nowhere else: its route says how the navigation
// shows it (staticData.nav).
const routeTree = rootRoute.addChildren([
  signInRoute,
  adminRoute.addChildren([overviewRoute, s3ProxyRoutes, auditRoutes, usageRoute, backendsRoutes, webhooksRoutes, accountsRoutes, profileRoute]),
  projectsRoutes,
  rgwRoutes,
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    scrollRestoration: true,
    defaultErrorComponent: PageFailed,
    defaultNotFoundComponent: PageMissing,
  });
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
