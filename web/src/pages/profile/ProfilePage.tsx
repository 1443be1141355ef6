import { Tabs } from '@mantine/core';
import { createRoute } from '@tanstack/react-router';

import { useAccount } from '../../api/session';
import { PageHeader } from '../../components/PageHeader';
import { searchOf } from '../../lib/search';
import { adminRoute } from '../../shell/routes';
import { OwnSessions } from './OwnSessions';
import { OwnTokens } from './OwnTokens';
import { PasswordForm } from './PasswordForm';

export const profileRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: 'profile',
  validateSearch: searchOf('tab'),
  component: ProfilePage,
});

/** The own password, sessions and API tokens. */
function ProfilePage() {
  const { tab = 'password' } = profileRoute.useSearch();
  const navigate = profileRoute.useNavigate();
  const account = useAccount();
  return (
    <>
      <PageHeader title="Your account">
        Signed in as {account.name} ({account.role}).
      </PageHeader>
      <Tabs value={tab} onChange={(next) => void navigate({ search: next && next !== 'password' ? { tab: next } : {} })} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="password">Password</Tabs.Tab>
          <Tabs.Tab value="sessions">Sessions</Tabs.Tab>
          <Tabs.Tab value="tokens">API tokens</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="password"><PasswordForm /></Tabs.Panel>
        <Tabs.Panel value="sessions"><OwnSessions /></Tabs.Panel>
        <Tabs.Panel value="tokens"><OwnTokens /></Tabs.Panel>
      </Tabs>
    </>
  );
}
