import { createRoute } from '@tanstack/react-router';

import { IconKey } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';
import { S3ProxyPage } from './S3ProxyPage';

/** Virtual keys and what is open to everybody. */
const s3ProxyRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 's3-proxy',
  staticData: { nav: { label: 'Credentials', icon: IconKey, order: 20 } },
  validateSearch: searchOf('q', 'owner'),
  component: S3ProxyPage,
});

const credentialRoute = createRoute({
  getParentRoute: () => s3ProxyRoute,
  path: 'credentials/$accessKeyId',
  component: () => null,
});

export const s3ProxyRoutes = s3ProxyRoute.addChildren([credentialRoute]);
