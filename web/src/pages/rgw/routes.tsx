import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconIdentity } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { rgwRoot } from '../../shell/routes';

// Without a path of its own: it is the shell's page at /rgw/users, and stays
// behind the drawer.
const listRoute = createRoute({
  getParentRoute: () => rgwRoot,
  id: 'list',
  staticData: { nav: { label: 'RGW users', icon: IconIdentity, order: 25 } },
  validateSearch: searchOf('q', 'project'),
  component: lazyRouteComponent(() => import('./UsersPage'), 'UsersPage'),
});

const indexRoute = createRoute({ getParentRoute: () => listRoute, path: '/' });

const userRoute = createRoute({
  getParentRoute: () => listRoute,
  path: '$user',
  validateSearch: searchOf('tab', 'bucket', 'prefix'),
  component: lazyRouteComponent(() => import('./UserDrawer'), 'UserDrawer'),
});

/** RGW users, each with a drawer of its own. */
export const rgwRoutes = rgwRoot.addChildren([listRoute.addChildren([indexRoute, userRoute])]);
