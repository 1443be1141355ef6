import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { IconPlus } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { middle } from '../../lib/text';
import { AdminsOnly } from '../../shell/AdminsOnly';
import { AddWebhook } from './AddWebhook';
import { eventsText, stateOf, type Webhook, webhooksQuery } from './webhooks';

const columns: Column<Webhook>[] = [
  { id: 'url', header: 'URL', bare: true, cell: (hook) => <Link to="/admin/webhooks/$webhook" params={{ webhook: hook.id }} title={hook.url}>{middle(hook.url, 44)}</Link> },
  { id: 'status', header: 'Status', cell: ({ enabled }) => <StatusBadge status={enabled ? 'enabled' : 'disabled'} tone={enabled ? 'good' : 'quiet'} /> },
  { id: 'last', header: 'Last delivery', long: true, width: '180px', cell: ({ last_delivery: last }) => <Last delivery={last} /> },
  { id: 'when', header: 'Last attempt', cell: ({ last_delivery: last }) => <RelativeTime value={last?.last_attempt_at} absent="never" /> },
  { id: 'pending', header: 'On the way', align: 'end', cell: ({ pending }) => pending },
  { id: 'events', header: 'Events', long: true, width: '170px', cell: ({ events }) => eventsText(events) },
  { id: 'for', header: 'What for', long: true, cell: ({ description }) => description },
];

function Last({ delivery }: { delivery: Webhook['last_delivery'] }) {
  if (!delivery) {
    return <Text span inherit c="dimmed">none</Text>;
  }
  return <><StatusBadge {...stateOf(delivery)} />{delivery.last_error && <Text inherit c="dimmed" lineClamp={2}>{delivery.last_error}</Text>}</>;
}

/** Addresses that are called when something happens. */
export function WebhooksPage() {
  return (
    <AdminsOnly>
      <Webhooks />
      <Outlet />
    </AdminsOnly>
  );
}

function Webhooks() {
  const hooks = useQuery({ ...webhooksQuery, refetchInterval: 10_000 });
  const navigate = useNavigate();
  const { webhook: active } = useParams({ strict: false });
  const [adding, setAdding] = useState(false);
  const add = <Button leftSection={<IconPlus />} onClick={() => setAdding(true)}>Add webhook</Button>;
  return (
    <>
      <PageHeader title="Webhooks" actions={add}>Signed calls to your systems when a bucket goes over a soft cap, or a hard one refuses a write.</PageHeader>
      <DataTable
        label="Webhooks" columns={columns} rows={hooks.data} rowKey={(hook) => hook.id} active={active}
        onOpen={(hook) => void navigate({ to: '/admin/webhooks/$webhook', params: { webhook: hook.id } })}
        error={hooks.error} onRetry={() => void hooks.refetch()}
        empty={<Empty action={add} command="keystile webhook add https://alerts.example.com/keystile">There is no webhook: nobody is called.</Empty>}
      />
      {adding && <AddWebhook onClose={() => setAdding(false)} />}
    </>
  );
}
