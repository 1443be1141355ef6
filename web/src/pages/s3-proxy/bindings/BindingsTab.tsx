import { Alert, Button, Group, Text } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas, send } from '../../../api/client';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { CopyButton } from '../../../components/CopyButton';
import { type Column, DataTable } from '../../../components/DataTable';
import { tellDone } from '../../../components/done';
import { Empty } from '../../../components/Empty';
import { IconPlus, IconWarning } from '../../../components/icons';
import { Path } from '../../../components/Path';
import { RelativeTime } from '../../../components/RelativeTime';
import { StatusBadge } from '../../../components/StatusBadge';
import { AddBinding } from './AddBinding';

type Binding = Schemas['Binding'];

const bindingsQuery = queryOptions({
  queryKey: ['bindings'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/anonymous-bindings', { signal }))).data,
});

const columns: Column<Binding>[] = [
  {
    id: 'url', header: 'Public URL', bare: true, long: true, width: '30%', cell: (binding) => (
      <Group gap={4} wrap="nowrap" align="flex-start">
        <code>{binding.url}</code>
        <CopyButton text={binding.url} what="public URL" />
      </Group>
    ),
  },
  { id: 'bucket', header: 'Opens', long: true, cell: (binding) => <code><Path text={`${binding.backend}/${binding.bucket}${binding.prefix ? `/${binding.prefix}` : ''}`} /></code> },
  { id: 'mode', header: 'Anyone may', cell: (binding) => (binding.mode === 'read' ? 'read' : 'read and list') },
  { id: 'rate', header: 'Limit per address', align: 'end', cell: (binding) => (binding.rate_per_second > 0 ? `${binding.rate_per_second.toLocaleString('en')}/s` : 'default') },
  { id: 'created', header: 'Created', cell: (binding) => <RelativeTime value={binding.created_at} /> },
  { id: 'by', header: 'By', cell: (binding) => binding.created_by },
];

const command = 'keystile anonymous add BACKEND/BUCKET --mode read';

/** What is open to unsigned reads. */
export function BindingsTab() {
  const bindings = useQuery(bindingsQuery);
  const queryClient = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Binding>();
  const refresh = () => queryClient.invalidateQueries(bindingsQuery);
  const remove = async ({ name }: Binding) => {
    const { requestId } = await send(api.DELETE('/api/anonymous-bindings/{name}', { params: { path: { name } } }));
    await refresh();
    tellDone(`Binding ${name} removed.`, requestId);
  };
  const actions: Column<Binding> = {
    id: 'remove', header: 'Actions', actions: true,
    cell: (binding) => <Button variant="default" size="compact-xs" onClick={() => setRemoving(binding)}>Remove binding</Button>,
  };
  const add = <Button leftSection={<IconPlus />} onClick={() => setAdding(true)}>Add anonymous binding</Button>;
  return (
    <>
      <Group justify="space-between" mb="xs" gap="xs">
        <GlobalSwitch enabled={bindings.data?.enabled} />
        {add}
      </Group>
      <DataTable
        label="Anonymous bindings" columns={[...columns, actions]} rows={bindings.data?.items} rowKey={(binding) => binding.name}
        error={bindings.error} onRetry={() => void bindings.refetch()}
        empty={<Empty action={add} command={command}>Nothing is open: every request needs a key.</Empty>}
      />
      {adding && <AddBinding onAdded={refresh} onClose={() => setAdding(false)} />}
      {removing && (
        <ConfirmDialog title={`Remove binding ${removing.name}?`} confirm="Remove binding" danger action={() => remove(removing)} onClose={() => setRemoving(undefined)}>
          <Text>
            Unsigned reads of <code>{removing.url}</code> are refused at once. Keys are not touched.
          </Text>
        </ConfirmDialog>
      )}
    </>
  );
}

/** The state of the switch for all bindings; only the configuration file turns it. */
function GlobalSwitch({ enabled }: { enabled: boolean | undefined }) {
  if (enabled === undefined) {
    return <span />;
  }
  if (enabled) {
    return <Text component="div">Anonymous reads are <StatusBadge status="on" tone="good" /></Text>;
  }
  return (
    <Alert color="warn" variant="outline" icon={<IconWarning />} title="Anonymous reads are off">
      The configuration has <code>s3_proxy.anonymous_enabled: false</code>: every binding is refused until that is changed.
    </Alert>
  );
}
