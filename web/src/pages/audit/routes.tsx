import { createRoute, lazyRouteComponent, notFound } from '@tanstack/react-router';

import { IconTrail } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';
import { type FilterName, filterNames } from './filters';

/** Who did what, allowed or refused; for administrators. */
const auditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'audit',
  staticData: { nav: { label: 'Audit', icon: IconTrail, order: 30, roles: ['admin'] } },
  validateSearch: searchOf<FilterName>(...filterNames),
  beforeLoad: ({ context }) => {
    if (context.account.role !== 'admin') {
      throw notFound();
    }
  },
  component: lazyRouteComponent(() => import('./AuditPage'), 'AuditPage'),
});

const eventRoute = createRoute({
  getParentRoute: () => auditRoute,
  path: '$eventId',
  component: lazyRouteComponent(() => import('./EventDrawer'), 'EventDrawer'),
});

export const auditRoutes = auditRoute.addChildren([eventRoute]);
