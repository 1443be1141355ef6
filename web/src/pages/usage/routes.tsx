import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconUsage } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';
import { searchNames } from './usage';

/** Who used what; each account sees its own. */
export const usageRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'usage',
  staticData: { nav: { label: 'Usage', icon: IconUsage, order: 35 } },
  validateSearch: searchOf(...searchNames),
  component: lazyRouteComponent(() => import('./UsagePage'), 'UsagePage'),
});
