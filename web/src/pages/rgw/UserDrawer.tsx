import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';

import { projectsQuery } from '../../api/projects';
import { type RGWUser, rgwUserQuery } from '../../api/rgw';
import { useAccount } from '../../api/session';
import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { AboutUser } from './AboutUser';
import { BucketsTab } from './BucketsTab';
import { EventsTab } from './EventsTab';

const route = getRouteApi('/rgw/users/list/$user');

/** An RGW user with all that it owns. */
export function UserDrawer() {
  const { user: id } = route.useParams();
  const navigate = useNavigate();
  const user = useQuery(rgwUserQuery(id));
  const close = () => void navigate({ to: '/rgw/users', search: ({ q, project }) => ({ q, project }) });
  return (
    <DetailDrawer title={user.data ? `RGW user ${user.data.name}` : 'RGW user'} onClose={close}>
      {user.data && <Detail key={id} user={user.data} />}
      {!user.data && user.error && <ErrorNotice title="The RGW user could not be read" error={user.error} onRetry={() => void user.refetch()} />}
    </DetailDrawer>
  );
}

function Detail({ user }: { user: RGWUser }) {
  const { tab = 'about' } = route.useSearch();
  const navigate = route.useNavigate();
  const { role } = useAccount();
  const access = useQuery(projectsQuery).data?.find(({ id }) => id === user.project_id)?.access;
  const writes = role !== 'readonly' && access !== undefined && access !== 'read' && user.state === 'live';
  const open = (next: string | null) => void navigate({ search: ({ q, project }) => ({ q, project, ...(next && next !== 'about' ? { tab: next } : {}) }), replace: true });
  return (
    <Tabs value={tab} onChange={open} keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="about">About</Tabs.Tab>
        <Tabs.Tab value="buckets">Buckets</Tabs.Tab>
        <Tabs.Tab value="audit">Audit</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="about"><AboutUser user={user} writes={writes} /></Tabs.Panel>
      <Tabs.Panel value="buckets"><BucketsTab user={user} writes={writes} /></Tabs.Panel>
      <Tabs.Panel value="audit"><EventsTab user={user} /></Tabs.Panel>
    </Tabs>
  );
}
