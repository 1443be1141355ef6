import { Button, Group, Text } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';

import { api, type Schemas, send } from '../../api/client';
import { leave } from '../../api/session';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';

type Session = Schemas['Session'];

const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/sessions', { signal }))).data.items,
});

const columns: Column<Session>[] = [
  {
    id: 'browser', header: 'Browser', bare: true, long: true, cell: (session) => (
      <Group gap="xs">
        <Text span lineClamp={2}>{session.user_agent || 'unknown'}</Text>
        {session.current && <StatusBadge status="this one" tone="good" />}
      </Group>
    ),
  },
  { id: 'ip', header: 'From', cell: (session) => <code>{session.source_ip}</code> },
  { id: 'created', header: 'Signed in', cell: (session) => <RelativeTime value={session.created_at} /> },
  { id: 'seen', header: 'Last seen', cell: (session) => <RelativeTime value={session.last_seen_at} /> },
  { id: 'expires', header: 'Ends', cell: (session) => <RelativeTime value={session.expires_at} /> },
];

/** Where the account is signed in, with a way to end that. */
export function OwnSessions() {
  const sessions = useQuery(sessionsQuery);
  const queryClient = useQueryClient();
  const router = useRouter();
  const [ending, setEnding] = useState<Session>();
  const [all, setAll] = useState(false);
  const end = async (session: Session) => {
    const { requestId } = await send(api.DELETE('/api/sessions/{id}', { params: { path: { id: session.id } } }));
    await queryClient.invalidateQueries(sessionsQuery);
    tellDone('Session ended.', requestId);
  };
  const endAll = async () => {
    await send(api.DELETE('/api/sessions'));
    await leave(queryClient, router);
  };
  const action: Column<Session> = {
    id: 'end', header: 'Actions', actions: true,
    cell: (session) => !session.current && <Button variant="default" size="compact-xs" onClick={() => setEnding(session)}>End session</Button>,
  };
  return (
    <>
      <DataTable
        label="Sessions" columns={[...columns, action]} rows={sessions.data} rowKey={(session) => session.id}
        error={sessions.error} onRetry={() => void sessions.refetch()} empty={<Text>There is no session.</Text>}
      />
      <Button variant="default" mt="md" onClick={() => setAll(true)}>Sign out everywhere</Button>
      {ending && (
        <ConfirmDialog title={`End the session from ${ending.source_ip}?`} confirm="End session" danger action={() => end(ending)} onClose={() => setEnding(undefined)}>
          Whoever uses that browser has to sign in again.
        </ConfirmDialog>
      )}
      {all && (
        <ConfirmDialog title="Sign out everywhere?" confirm="Sign out everywhere" action={endAll} onClose={() => setAll(false)}>
          Ends every session of the account, this one too. API tokens stay.
        </ConfirmDialog>
      )}
    </>
  );
}
