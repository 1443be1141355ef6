import { Button, Group, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { accountsQuery } from '../../api/accounts';
import { type Account, useAccount } from '../../api/session';
import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { Facts } from '../../components/Facts';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { DeleteAccount, DisableAccount, EnableAccount } from './AccountHarm';
import { AccountSessions } from './AccountSessions';
import { AccountTokens } from './AccountTokens';
import { ChangeRole } from './ChangeRole';
import { useOwned } from './owned';
import { ResetPassword } from './ResetPassword';
import { credentialCount, roles, tones } from './words';

const route = getRouteApi('/admin/accounts/$account');

/** Everything about one account. */
export function AccountDrawer() {
  const { account: name } = route.useParams();
  const navigate = useNavigate();
  const accounts = useQuery(accountsQuery);
  const account = accounts.data?.find((one) => one.name === name);
  const close = () => void navigate({ to: '/admin/accounts', search: ({ name: part, role, status }) => ({ name: part, role, status }) });
  return (
    <DetailDrawer title={`Account ${name}`} onClose={close}>
      {account && <Detail key={account.name} account={account} />}
      {!account && accounts.data && <Text>There is no account <code>{name}</code>. It may have been deleted.</Text>}
      {!accounts.data && accounts.error && <ErrorNotice title="The account could not be read" error={accounts.error} onRetry={() => void accounts.refetch()} />}
    </DetailDrawer>
  );
}

function Detail({ account }: { account: Account }) {
  const { tab = 'about' } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (next: string | null) => void navigate({ search: (was) => ({ ...was, tab: next && next !== 'about' ? next : undefined }), replace: true });
  return (
    <Tabs value={tab} onChange={open} keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="about">About</Tabs.Tab>
        <Tabs.Tab value="sessions">Sessions</Tabs.Tab>
        <Tabs.Tab value="tokens">API tokens</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="about"><About account={account} /></Tabs.Panel>
      <Tabs.Panel value="sessions"><AccountSessions name={account.name} /></Tabs.Panel>
      <Tabs.Panel value="tokens"><AccountTokens name={account.name} /></Tabs.Panel>
    </Tabs>
  );
}

function About({ account }: { account: Account }) {
  const own = useAccount().name === account.name;
  return (
    <Stack gap="md">
      <Facts
        items={[
          ['Name', <>{account.name}{own && <Text span inherit c="dimmed"> (you)</Text>}</>],
          ['Role', <>{account.role}<Text inherit c="dimmed">{roles.find((one) => one.value === account.role)?.may}</Text></>],
          ['Status', <StatusBadge key="status" status={account.status} tone={tones[account.status]} />],
          ['Disabled', account.disabled_at && <RelativeTime value={account.disabled_at} />],
          ['Created', <RelativeTime key="created" value={account.created_at} />],
          ['Changed', <RelativeTime key="updated" value={account.updated_at} />],
          ['Owns', <Owned key="owns" name={account.name} />],
        ]}
      />
      <Change account={account} own={own} />
    </Stack>
  );
}

function Owned({ name }: { name: string }) {
  const { data, error } = useOwned(name);
  if (error) {
    return <Text span inherit c="dimmed">credentials could not be counted</Text>;
  }
  return data && <Link to="/admin/s3-proxy" search={{ owner: name }}>{credentialCount(data.live, data.more, 'live credential')}</Link>;
}

function Change({ account, own }: { account: Account; own: boolean }) {
  const [doing, setDoing] = useState<'role' | 'password' | 'disable' | 'enable' | 'delete'>();
  const navigate = useNavigate();
  const close = () => setDoing(undefined);
  const disabled = account.status === 'disabled';
  return (
    <Group gap="xs">
      <Button variant="default" onClick={() => setDoing('role')}>Change role</Button>
      {own
        ? <Button variant="default" onClick={() => void navigate({ to: '/admin/profile', search: {} })}>Change password</Button>
        : <Button variant="default" onClick={() => setDoing('password')}>Reset password</Button>}
      {disabled
        ? <Button variant="default" onClick={() => setDoing('enable')}>Enable account</Button>
        : <Button variant="outline" color="danger" onClick={() => setDoing('disable')}>Disable account</Button>}
      <Button variant="outline" color="danger" onClick={() => setDoing('delete')}>Delete account</Button>
      {doing === 'role' && <ChangeRole account={account} onClose={close} />}
      {doing === 'password' && <ResetPassword name={account.name} onClose={close} />}
      {doing === 'disable' && <DisableAccount name={account.name} onClose={close} />}
      {doing === 'enable' && <EnableAccount name={account.name} onClose={close} />}
      {doing === 'delete' && <DeleteAccount name={account.name} onClose={close} />}
    </Group>
  );
}
