import { Alert, Button, Group, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { type Backend, backendsQuery } from '../../api/buckets';
import { CopyButton } from '../../components/CopyButton';
import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { Facts } from '../../components/Facts';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { healthOf, latencyText } from '../../lib/health';
import { capital } from '../../lib/text';
import { AbilitiesPanel } from './AbilitiesPanel';
import { BucketsPanel } from './BucketsPanel';
import { EditBackend } from './EditBackend';
import { HealthHistory } from './HealthHistory';
import { RemoveBackend } from './RemoveBackend';
import { TestPanel } from './TestPanel';
import { keysKept, kinds } from './words';

const route = getRouteApi('/admin/backends/$backend');

/** Everything about one backend. */
export function BackendDrawer() {
  const { backend: id } = route.useParams();
  const navigate = useNavigate();
  const backends = useQuery(backendsQuery);
  const backend = backends.data?.find((one) => one.id === id);
  return (
    <DetailDrawer title={`Backend ${id}`} onClose={() => void navigate({ to: '/admin/backends' })}>
      {backend && <Detail key={backend.id} backend={backend} />}
      {!backend && backends.data && <Text>There is no backend <code>{id}</code>. It may have been removed.</Text>}
      {!backends.data && backends.error && <ErrorNotice title="The backend could not be read" error={backends.error} onRetry={() => void backends.refetch()} />}
    </DetailDrawer>
  );
}

function Detail({ backend }: { backend: Backend }) {
  const { tab = 'about' } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Tabs value={tab} onChange={(next) => void navigate({ search: next && next !== 'about' ? { tab: next } : {}, replace: true })} keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="about">About</Tabs.Tab>
        <Tabs.Tab value="buckets">Buckets</Tabs.Tab>
        <Tabs.Tab value="health">Health</Tabs.Tab>
        <Tabs.Tab value="abilities">Abilities</Tabs.Tab>
        <Tabs.Tab value="test">Test</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="about"><About backend={backend} /></Tabs.Panel>
      <Tabs.Panel value="buckets"><BucketsPanel backend={backend} /></Tabs.Panel>
      <Tabs.Panel value="health"><HealthHistory backend={backend.id} /></Tabs.Panel>
      <Tabs.Panel value="abilities"><AbilitiesPanel backend={backend} /></Tabs.Panel>
      <Tabs.Panel value="test"><TestPanel backend={backend} /></Tabs.Panel>
    </Tabs>
  );
}

function About({ backend }: { backend: Backend }) {
  const { health } = backend;
  const keys = keysKept(backend);
  const remote = backend.kind !== 'embedded';
  return (
    <Stack gap="md">
      {backend.source === 'config' && (
        <Alert variant="outline" color="gray" title="The configuration file owns this backend">
          It is changed and removed there, and read when the server starts.
        </Alert>
      )}
      {health.tls_unverified && (
        <Alert variant="outline" color="danger" title="Its certificate is not verified">
          The configuration sets <code>tls.insecure_skip_verify</code>: whoever stands between the gateway and this backend can read and change everything.
        </Alert>
      )}
      <Facts
        items={[
          ['Health', <StatusBadge key="health" {...healthOf(health)} />],
          ['Because', health.checked_at && !health.healthy && health.message ? capital(health.message) : ''],
          ['Latency', health.checked_at && health.healthy ? latencyText(health.latency_ms) : ''],
          ['Last check', <RelativeTime key="checked" value={health.checked_at} absent="never" />],
          ['Kind', backend.kind === 'embedded' ? 'Embedded: objects are files of this server' : kinds[backend.kind]],
          ['Endpoint', backend.endpoint && <Copied text={backend.endpoint} what="endpoint" />],
          ['Region', backend.region],
          ['Addressing', remote ? addressing(backend) : undefined],
          ['Access key id', remote && backend.access_key_id ? <Copied text={backend.access_key_id} what="access key id" /> : undefined],
          ['Admin Ops API', backend.kind === 'ceph-rgw' ? <Copied text={backend.admin_endpoint ?? backend.endpoint ?? ''} what="Admin Ops endpoint" /> : undefined],
          ['Its access key id', backend.admin_access_key_id ? <Copied text={backend.admin_access_key_id} what="admin access key id" /> : undefined],
          ['Keeps keys', <Stack key="keys" gap={0}><StatusBadge status={keys.status} tone={keys.tone} /><Text inherit c="dimmed">{keys.means}</Text></Stack>],
          ['Bodies', backend.force_hashing ? 'Every one is verified here: that is forced' : 'What the backend is proven to verify is left to it'],
          ['Added', backend.created_at && <RelativeTime value={backend.created_at} />],
        ]}
      />
      {backend.source === 'store' && <Change backend={backend} />}
    </Stack>
  );
}

function addressing({ path_style: inPath }: Backend): string {
  return inPath ? 'Bucket in the path' : 'Bucket in the host name';
}

function Copied({ text, what }: { text: string; what: string }) {
  return <><code>{text}</code> <CopyButton text={text} what={what} /></>;
}

function Change({ backend }: { backend: Backend }) {
  const [doing, setDoing] = useState<'edit' | 'remove'>();
  const close = () => setDoing(undefined);
  return (
    <Group gap="xs">
      <Button variant="default" onClick={() => setDoing('edit')}>Edit backend</Button>
      <Button color="danger" onClick={() => setDoing('remove')}>Remove backend</Button>
      {doing === 'edit' && <EditBackend backend={backend} onClose={close} />}
      {doing === 'remove' && <RemoveBackend backend={backend} onClose={close} />}
    </Group>
  );
}
