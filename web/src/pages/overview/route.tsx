import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { IconOverview } from '../../components/icons';
import { adminRoute } from '../../shell/routes';

/** Where admins land after signing in. The others have their credentials to look at. */
export const overviewRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/',
  staticData: { nav: { label: 'Overview', icon: IconOverview, order: 10, roles: ['admin'] } },
  beforeLoad: ({ context }) => {
    if (context.account.role !== 'admin') {
      throw redirect({ to: '/admin/s3-proxy' });
    }
  },
  component: lazyRouteComponent(() => import('./OverviewPage'), 'OverviewPage'),
});
