import { Tabs } from '@mantine/core';
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router';

import { useAccount } from '../../api/session';
import { PageHeader } from '../../components/PageHeader';

/** Keys handed out, and buckets opened to everybody. */
export function S3ProxyPage() {
  const { role } = useAccount();
  const navigate = useNavigate();
  const anonymous = useLocation({ select: (location) => location.pathname.endsWith('/anonymous') });
  if (role !== 'admin') {
    return (
      <>
        <PageHeader title="Credentials">The S3 keys that you own.</PageHeader>
        <Outlet />
      </>
    );
  }
  const open = (tab: string | null) => void navigate({ to: tab === 'anonymous' ? '/admin/s3-proxy/anonymous' : '/admin/s3-proxy' });
  return (
    <>
      <PageHeader title={anonymous ? 'Anonymous bindings' : 'Credentials'} />
      <Tabs value={anonymous ? 'anonymous' : 'credentials'} onChange={open}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="credentials">Credentials</Tabs.Tab>
          <Tabs.Tab value="anonymous">Anonymous bindings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={anonymous ? 'anonymous' : 'credentials'}>
          <Outlet />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
