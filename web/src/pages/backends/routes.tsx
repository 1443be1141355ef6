import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconBackend } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';

const backendsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'backends',
  staticData: { nav: { label: 'Backends', icon: IconBackend, order: 40, roles: ['admin'] } },
  component: lazyRouteComponent(() => import('./BackendsPage'), 'BackendsPage'),
});

const backendRoute = createRoute({
  getParentRoute: () => backendsRoute,
  path: '$backend',
  validateSearch: searchOf('tab', 'q'),
  component: lazyRouteComponent(() => import('./BackendDrawer'), 'BackendDrawer'),
});

/** Upstream endpoints, each with a drawer of its own. */
export const backendsRoutes = backendsRoute.addChildren([backendRoute]);
