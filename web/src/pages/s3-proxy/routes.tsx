import { createRoute, notFound } from '@tanstack/react-router';

import { IconKey } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';
import { BindingsTab } from './bindings/BindingsTab';
import { CredentialDrawer } from './credentials/CredentialDrawer';
import { CredentialsTab } from './credentials/CredentialsTab';
import { S3ProxyPage } from './S3ProxyPage';

/** Virtual keys, and what is open to everybody. */
const s3ProxyRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 's3-proxy',
  staticData: { nav: { label: 'Credentials', icon: IconKey, order: 20 } },
  validateSearch: searchOf('q', 'owner'),
  component: S3ProxyPage,
});

/** The list stays while a drawer is open beside it. */
const credentialsRoute = createRoute({
  getParentRoute: () => s3ProxyRoute,
  id: 'credentials',
  component: CredentialsTab,
});

const listRoute = createRoute({ getParentRoute: () => credentialsRoute, path: '/' });

const credentialRoute = createRoute({
  getParentRoute: () => credentialsRoute,
  path: 'credentials/$accessKeyId',
  component: CredentialDrawer,
});

const bindingsRoute = createRoute({
  getParentRoute: () => s3ProxyRoute,
  path: 'anonymous',
  beforeLoad: ({ context }) => {
    if (context.account.role !== 'admin') {
      throw notFound();
    }
  },
  component: BindingsTab,
});

export const s3ProxyRoutes = s3ProxyRoute.addChildren([
  credentialsRoute.addChildren([listRoute, credentialRoute]),
  bindingsRoute,
]);
