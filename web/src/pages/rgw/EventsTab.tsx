import { Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';

import { api, send } from '../../api/client';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { useIsAdmin } from '../../api/session';
import { AuditLink } from '../../components/AuditLink';
import { type Column, DataTable } from '../../components/DataTable';
import { Path } from '../../components/Path';
import { usePaged } from '../../components/usePaged';
import { middle, visible } from '../../lib/text';
import { columns } from '../audit/columns';
import { type Event, place } from '../audit/events';

const kinds = [{ value: 'to', label: 'Done to it' }, { value: 'with', label: 'Done with its key' }] as const;
type Done = (typeof kinds)[number]['value'];
const isDone = (value: string): value is Done => kinds.some((kind) => kind.value === value);

/** Events have pages for admins alone. */
const plainAction: Column<Event> = { id: 'action', header: 'Action', long: true, cell: ({ action }) => <code>{visible(action)}</code> };
const who: Column<Event> = { id: 'who', header: 'Who', long: true, cell: ({ account }) => account && visible(account) };
const what: Column<Event> = { id: 'what', header: 'What', long: true, cell: (event) => <Text span inherit className="mono"><Path text={middle(visible(place(event)), 80)} /></Text> };

function columnsOf(done: Done, isAdmin: boolean): Column<Event>[] {
  const common = columns.filter(({ id }) => id === 'time' || id === 'result' || (id === 'action' && isAdmin)).map((column) => ({ ...column, width: '' }));
  const [time, ...rest] = isAdmin ? common : [common[0], plainAction, common[1]];
  return [time, ...rest, done === 'to' ? who : what].filter((column) => column !== undefined);
}

/** What was done to a user, or with its key, newest first. */
export function EventsTab({ user }: { user: RGWUser }) {
  const [done, setDone] = useState<Done>('to');
  const isAdmin = useIsAdmin();
  const { rows, error, onRetry, more } = usePaged([...rgwKey, user.id, 'events', done], async (cursor, signal) => (
    (await send(api.GET('/rgw/users/{user_id}/events', { params: { path: { user_id: user.id }, query: { done, limit: 100, ...(cursor ? { cursor } : {}) } }, signal }))).data
  ));
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <SegmentedControl aria-label="Events" data={[...kinds]} value={done} onChange={(value) => isDone(value) && setDone(value)} />
        {isAdmin && done === 'with' && <AuditLink accessKeyId={user.access_key_id}>Show in audit</AuditLink>}
      </Group>
      <DataTable
        label="Audit events" columns={columnsOf(done, isAdmin)} rows={rows} rowKey={(event) => event.id}
        error={error} onRetry={onRetry} more={more} empty={<Text>{done === 'to' ? 'Nothing that was done to it is recorded yet.' : 'Nothing that was done with its key is recorded.'}</Text>}
      />
    </Stack>
  );
}
