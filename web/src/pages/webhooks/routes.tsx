import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconWebhook } from '../../components/icons';
import { adminRoute } from '../../shell/routes';

const webhooksRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'webhooks',
  staticData: { nav: { label: 'Webhooks', icon: IconWebhook, order: 45, roles: ['admin'] } },
  component: lazyRouteComponent(() => import('./WebhooksPage'), 'WebhooksPage'),
});

const webhookRoute = createRoute({
  getParentRoute: () => webhooksRoute,
  path: '$webhook',
  component: lazyRouteComponent(() => import('./WebhookDrawer'), 'WebhookDrawer'),
});

/** Addresses that are called when something happens, each with a drawer of its own. */
export const webhooksRoutes = webhooksRoute.addChildren([webhookRoute]);
