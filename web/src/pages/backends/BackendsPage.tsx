import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { type Backend, backendsQuery } from '../../api/buckets';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { IconPlus } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { healthOf, latencyText } from '../../lib/health';
import { capital, middle } from '../../lib/text';
import { AdminsOnly } from '../../shell/AdminsOnly';
import { AddBackend } from './AddBackend';
import { keysKept, kinds } from './words';

const columns: Column<Backend>[] = [
  {
    id: 'id', header: 'Backend', bare: true,
    cell: (backend) => <Link to="/admin/backends/$backend" params={{ backend: backend.id }} title={backend.id}>{middle(backend.id, 28)}</Link>,
  },
  { id: 'health', header: 'Health', long: true, width: '200px', cell: (backend) => <Health backend={backend} /> },
  { id: 'latency', header: 'Latency', align: 'end', cell: ({ health }) => health.checked_at && health.healthy && latencyText(health.latency_ms) },
  { id: 'checked', header: 'Last check', cell: ({ health }) => <RelativeTime value={health.checked_at} absent="never" /> },
  { id: 'kind', header: 'Kind', cell: (backend) => kinds[backend.kind] },
  { id: 'endpoint', header: 'Endpoint', long: true, cell: (backend) => (backend.endpoint ? <code>{backend.endpoint}</code> : <Text span inherit c="dimmed">in this server</Text>) },
  { id: 'region', header: 'Region', long: true, cell: (backend) => backend.region },
  { id: 'keys', header: 'Keeps keys', cell: (backend) => <KeepsKeys backend={backend} /> },
];

function Health({ backend: { health } }: { backend: Backend }) {
  return (
    <Stack gap={0}>
      <StatusBadge {...healthOf(health)} />
      {!health.healthy && health.message && <Text inherit c="dimmed" lineClamp={3}>{capital(health.message)}</Text>}
    </Stack>
  );
}

function KeepsKeys({ backend }: { backend: Backend }) {
  const { status, tone } = keysKept(backend);
  return <StatusBadge status={status} tone={tone} />;
}

/** Upstream endpoints with their health. */
export function BackendsPage() {
  return (
    <AdminsOnly>
      <Backends />
      <Outlet />
    </AdminsOnly>
  );
}

const unchecked = 3_000;
const usual = 15_000;

function Backends() {
  const backends = useQuery({
    ...backendsQuery,
    refetchInterval: (query) => (query.state.data?.some((backend) => !backend.health.checked_at) ? unchecked : usual),
  });
  const navigate = useNavigate();
  const { backend: active } = useParams({ strict: false });
  const [adding, setAdding] = useState(false);
  const add = <Button leftSection={<IconPlus />} onClick={() => setAdding(true)}>Add backend</Button>;
  return (
    <>
      <PageHeader title="Backends" actions={add}>The S3 storage behind the gateway. Clients never see its keys.</PageHeader>
      <DataTable
        label="Backends" columns={columns} rows={backends.data} rowKey={(backend) => backend.id} active={active}
        onOpen={(backend) => void navigate({ to: '/admin/backends/$backend', params: { backend: backend.id } })}
        error={backends.error} onRetry={() => void backends.refetch()}
        empty={(
          <Empty action={add} command="keystile backend add ID --endpoint URL --access-key-id ID">
            There is no backend yet: credentials have nothing to open.
          </Empty>
        )}
      />
      {adding && <AddBackend onClose={() => setAdding(false)} />}
    </>
  );
}
