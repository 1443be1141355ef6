import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, send } from '../../api/client';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { CopyButton } from '../../components/CopyButton';
import { type Column, DataTable } from '../../components/DataTable';
import { DetailDrawer } from '../../components/DetailDrawer';
import { tellDone } from '../../components/done';
import { Empty } from '../../components/Empty';
import { ErrorNotice } from '../../components/ErrorNotice';
import { Facts } from '../../components/Facts';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { useAction } from '../../components/useAction';
import { EditWebhook } from './EditWebhook';
import { deliveriesQuery, type Delivery, eventsText, stateOf, type Webhook, webhooksQuery } from './webhooks';

const route = getRouteApi('/admin/webhooks/$webhook');

/** Everything about one webhook. */
export function WebhookDrawer() {
  const { webhook: id } = route.useParams();
  const navigate = useNavigate();
  const hooks = useQuery(webhooksQuery);
  const hook = hooks.data?.find((one) => one.id === id);
  return (
    <DetailDrawer title="Webhook" onClose={() => void navigate({ to: '/admin/webhooks' })}>
      {hook && <Detail key={hook.id} hook={hook} />}
      {!hook && hooks.data && <Text>There is no such webhook. It may have been removed.</Text>}
      {!hooks.data && hooks.error && <ErrorNotice title="The webhook could not be read" error={hooks.error} onRetry={() => void hooks.refetch()} />}
    </DetailDrawer>
  );
}

function Detail({ hook }: { hook: Webhook }) {
  return (
    <Stack gap="md">
      <Facts
        items={[
          ['URL', <span key="url"><code>{hook.url}</code> <CopyButton text={hook.url} what="URL" /></span>],
          ['Status', <StatusBadge key="status" status={hook.enabled ? 'enabled' : 'disabled'} tone={hook.enabled ? 'good' : 'quiet'} />],
          ['Events', eventsText(hook.events)],
          ['What for', hook.description],
          ['On the way', hook.pending],
          ['Added', <span key="added"><RelativeTime value={hook.created_at} /> by {hook.created_by}</span>],
        ]}
      />
      <Actions hook={hook} />
      <Title order={3} size="h5">Deliveries</Title>
      <Deliveries id={hook.id} />
    </Stack>
  );
}

function Actions({ hook }: { hook: Webhook }) {
  const [doing, setDoing] = useState<'edit' | 'remove'>();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const refresh = () => queryClient.invalidateQueries(webhooksQuery);
  const path = { webhook: hook.id };
  const test = useAction(async () => {
    const { data, requestId } = await send(api.POST('/api/webhooks/{webhook}/test', { params: { path } }));
    await refresh();
    tellDone(data.state === 'delivered' ? `Delivered: the receiver answered ${data.last_status}.` : `Not delivered: ${data.last_error}.`, requestId);
  });
  const turn = useAction(async () => {
    const { requestId } = await send(api.PATCH('/api/webhooks/{webhook}', { params: { path }, body: { enabled: !hook.enabled } }));
    await refresh();
    tellDone(hook.enabled ? 'Webhook disabled.' : 'Webhook enabled.', requestId);
  });
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/api/webhooks/{webhook}', { params: { path } }));
    await navigate({ to: '/admin/webhooks' });
    await refresh();
    tellDone('Webhook removed.', requestId);
  };
  const error = test.error ?? turn.error;
  return (
    <>
      {error && <ErrorNotice title="That did not work" error={error} />}
      <Group gap="xs">
        <Button variant="default" loading={test.busy} onClick={() => void test.run()}>Send test</Button>
        <Button variant="default" onClick={() => setDoing('edit')}>Edit webhook</Button>
        <Button variant="default" loading={turn.busy} onClick={() => void turn.run()}>{hook.enabled ? 'Disable webhook' : 'Enable webhook'}</Button>
        <Button color="danger" onClick={() => setDoing('remove')}>Remove webhook</Button>
      </Group>
      {doing === 'edit' && <EditWebhook hook={hook} onClose={() => setDoing(undefined)} />}
      {doing === 'remove' && (
        <ConfirmDialog title="Remove webhook?" confirm="Remove webhook" danger action={remove} onClose={() => setDoing(undefined)}>
          Calls to <code>{hook.url}</code> end at once; what is on its way ({hook.pending}) is not delivered any more.
        </ConfirmDialog>
      )}
    </>
  );
}

const columns: Column<Delivery>[] = [
  { id: 'created', header: 'Created', bare: true, cell: (one) => <RelativeTime value={one.created_at} /> },
  { id: 'event', header: 'Event', cell: (one) => <code>{one.event}</code> },
  { id: 'state', header: 'State', long: true, cell: (one) => <><StatusBadge {...stateOf(one)} />{one.last_error && <Text inherit c="dimmed">{one.last_error}</Text>}</> },
  { id: 'attempts', header: 'Attempts', align: 'end', cell: (one) => one.attempts },
  { id: 'next', header: 'Next attempt', cell: (one) => <RelativeTime value={one.next_attempt_at} absent="–" /> },
];

function Deliveries({ id }: { id: string }) {
  const deliveries = useQuery({ ...deliveriesQuery(id), refetchInterval: 5_000 });
  return (
    <DataTable
      label="Deliveries" columns={columns} rows={deliveries.data} rowKey={(one) => one.id} error={deliveries.error} onRetry={() => void deliveries.refetch()}
      empty={<Empty command={`keystile webhook test ${id}`}>Nothing was delivered in the last 7 days.</Empty>}
    />
  );
}
