import { Button, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas, send } from '../../api/client';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge, type Tone } from '../../components/StatusBadge';
import { accountTokensQuery } from './held';

type Token = Schemas['Token'];

const tones: Record<Token['status'], Tone> = { active: 'good', expired: 'quiet', revoked: 'bad' };

const columns: Column<Token>[] = [
  { id: 'name', header: 'Name', bare: true, long: true, cell: (token) => token.name },
  { id: 'status', header: 'Status', cell: (token) => <StatusBadge status={token.status} tone={tones[token.status]} /> },
  { id: 'used', header: 'Last used', cell: (token) => <RelativeTime value={token.last_used_at} absent="never" /> },
  { id: 'expires', header: 'Expires', cell: (token) => <RelativeTime value={token.expires_at} absent="never" /> },
];

/** An account's API tokens, with a way to revoke them. */
export function AccountTokens({ name }: { name: string }) {
  const tokens = useQuery(accountTokensQuery(name));
  const queryClient = useQueryClient();
  const [revoking, setRevoking] = useState<Token>();
  const revoke = async (token: Token) => {
    const { requestId } = await send(api.DELETE('/api/accounts/{name}/tokens/{id}', { params: { path: { name, id: token.id } } }));
    tellDone(`Token ${token.name} of ${name} revoked.`, requestId);
    await queryClient.invalidateQueries(accountTokensQuery(name));
  };
  const action: Column<Token> = {
    id: 'revoke', header: '', align: 'end', bare: true,
    cell: (token) => token.status === 'active' && <Button variant="default" onClick={() => setRevoking(token)} aria-label={`Revoke token ${token.name}`}>Revoke</Button>,
  };
  return (
    <>
      <DataTable
        label="API tokens" columns={[...columns, action]} rows={tokens.data} rowKey={(token) => token.id}
        error={tokens.error} onRetry={() => void tokens.refetch()} empty={<Text>It has no API token. Each account makes its own, under its own account.</Text>}
      />
      {revoking && (
        <ConfirmDialog title={`Revoke token ${revoking.name}?`} confirm="Revoke token" danger action={() => revoke(revoking)} onClose={() => setRevoking(undefined)}>
          Programs that use it are refused at once. It was last used <RelativeTime value={revoking.last_used_at} absent="never" />.
        </ConfirmDialog>
      )}
    </>
  );
}
