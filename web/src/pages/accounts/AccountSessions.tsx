import { Button, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, type Schemas, send } from '../../api/client';
import { useAccount } from '../../api/session';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { RelativeTime } from '../../components/RelativeTime';
import { counted } from '../../lib/text';
import { accountSessionsQuery } from './held';
import { useChanged } from './useChanged';

type Session = Schemas['Session'];

const columns: Column<Session>[] = [
  { id: 'browser', header: 'Browser', bare: true, long: true, cell: (session) => <Text inherit lineClamp={2}>{session.user_agent || 'unknown'}</Text> },
  { id: 'ip', header: 'From', cell: (session) => <code>{session.source_ip}</code> },
  { id: 'created', header: 'Signed in', cell: (session) => <RelativeTime value={session.created_at} /> },
  { id: 'seen', header: 'Last seen', cell: (session) => <RelativeTime value={session.last_seen_at} /> },
];

/** Where an account is signed in, with a way to end that. */
export function AccountSessions({ name }: { name: string }) {
  const sessions = useQuery(accountSessionsQuery(name));
  const [ending, setEnding] = useState(false);
  return (
    <Stack gap="md" align="flex-start">
      <DataTable
        label="Sessions" columns={columns} rows={sessions.data} rowKey={(session) => session.id}
        error={sessions.error} onRetry={() => void sessions.refetch()} empty={<Text>It is signed in nowhere.</Text>}
      />
      {sessions.data && sessions.data.length > 0 && <Button variant="outline" color="danger" onClick={() => setEnding(true)}>End all sessions</Button>}
      {ending && <EndSessions name={name} count={sessions.data?.length ?? 0} onClose={() => setEnding(false)} />}
    </Stack>
  );
}

function EndSessions({ name, count, onClose }: { name: string; count: number; onClose: () => void }) {
  const queryClient = useQueryClient();
  const own = useAccount().name === name;
  const changed = useChanged(name);
  const end = async () => {
    const { requestId } = await send(api.DELETE('/api/accounts/{name}/sessions', { params: { path: { name } } }));
    tellDone(`All sessions of ${name} ended.`, requestId);
    await (own ? changed() : queryClient.invalidateQueries(accountSessionsQuery(name)));
  };
  return (
    <ConfirmDialog title={`End all sessions of ${name}?`} confirm="End all sessions" danger action={end} onClose={onClose}>
      {counted(count, 'session')} {count === 1 ? 'ends' : 'end'}{own ? ', this one too' : ''}. Signing in again works; API tokens and credentials go on.
    </ConfirmDialog>
  );
}
