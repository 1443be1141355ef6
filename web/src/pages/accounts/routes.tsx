import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconAccounts } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';

const accountsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'accounts',
  staticData: { nav: { label: 'Accounts', icon: IconAccounts, order: 50, roles: ['admin'] } },
  validateSearch: searchOf('name', 'role', 'status'),
  component: lazyRouteComponent(() => import('./AccountsPage'), 'AccountsPage'),
});

const accountRoute = createRoute({
  getParentRoute: () => accountsRoute,
  path: '$account',
  validateSearch: searchOf('tab'),
  component: lazyRouteComponent(() => import('./AccountDrawer'), 'AccountDrawer'),
});

/** People who sign in, each with a drawer of its own. */
export const accountsRoutes = accountsRoute.addChildren([accountRoute]);
