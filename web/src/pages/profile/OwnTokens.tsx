import { Button, Text } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas, send } from '../../api/client';
import { projectsQuery } from '../../api/projects';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { Empty } from '../../components/Empty';
import { IconPlus } from '../../components/icons';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge, type Tone } from '../../components/StatusBadge';
import { NewToken } from './NewToken';

type Token = Schemas['Token'];

const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/tokens', { signal }))).data.items,
});

const tones: Record<Token['status'], Tone> = { active: 'good', expired: 'quiet', revoked: 'bad' };

const columns: Column<Token>[] = [
  { id: 'name', header: 'Name', bare: true, long: true, cell: (token) => token.name },
  { id: 'status', header: 'Status', cell: (token) => <StatusBadge status={token.status} tone={tones[token.status]} /> },
  { id: 'project', header: 'Good for', long: true, cell: (token) => <GoodFor id={token.project_id} /> },
  { id: 'created', header: 'Created', cell: (token) => <RelativeTime value={token.created_at} /> },
  { id: 'used', header: 'Last used', cell: (token) => <RelativeTime value={token.last_used_at} absent="never" /> },
  { id: 'expires', header: 'Expires', cell: (token) => <RelativeTime value={token.expires_at} absent="never" /> },
];

function GoodFor({ id }: { id: string | undefined }) {
  const projects = useQuery({ ...projectsQuery, enabled: id !== undefined });
  return id === undefined ? 'all you may do' : `project ${projects.data?.find((one) => one.id === id)?.name ?? id}`;
}

/** The account's API tokens. */
export function OwnTokens() {
  const tokens = useQuery(tokensQuery);
  const queryClient = useQueryClient();
  const [revoking, setRevoking] = useState<Token>();
  const [creating, setCreating] = useState(false);
  const refresh = () => queryClient.invalidateQueries(tokensQuery);
  const revoke = async (token: Token) => {
    const { requestId } = await send(api.DELETE('/api/tokens/{id}', { params: { path: { id: token.id } } }));
    await refresh();
    tellDone(`Token ${token.name} revoked.`, requestId);
  };
  const action: Column<Token> = {
    id: 'revoke', header: 'Actions', actions: true,
    cell: (token) => token.status === 'active' && <Button variant="default" size="compact-xs" onClick={() => setRevoking(token)}>Revoke token</Button>,
  };
  const create = <Button leftSection={<IconPlus />} onClick={() => setCreating(true)}>Create API token</Button>;
  return (
    <>
      <Text mb="sm" c="dimmed">A token lets a program do by the API what you may do here. It is shown once.</Text>
      {tokens.data && tokens.data.length > 0 && create}
      <DataTable
        label="API tokens" columns={[...columns, action]} rows={tokens.data} rowKey={(token) => token.id}
        error={tokens.error} onRetry={() => void tokens.refetch()}
        empty={<Empty action={create} command="keystile token create ci">There is no API token.</Empty>}
      />
      {creating && <NewToken onMade={refresh} onClose={() => setCreating(false)} />}
      {revoking && (
        <ConfirmDialog title={`Revoke token ${revoking.name}?`} confirm="Revoke token" danger action={() => revoke(revoking)} onClose={() => setRevoking(undefined)}>
          Programs that use it are refused at once. It was last used <RelativeTime value={revoking.last_used_at} absent="never" />.
        </ConfirmDialog>
      )}
    </>
  );
}
