import { Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';

import { api, send } from '../../api/client';
import type { RGWUser } from '../../api/rgw';
import { AuditLink } from '../../components/AuditLink';
import { DataTable } from '../../components/DataTable';
import { usePaged } from '../../components/usePaged';
import { columns } from '../audit/columns';

const shown = new Set(['time', 'action', 'result', 'who']);

const kinds = [{ value: 'to', label: 'Done to it' }, { value: 'with', label: 'Done with its key' }];

/** What was done to a user, or with its key, newest first; for admins. */
export function EventsTab({ user }: { user: RGWUser }) {
  const [kind, setKind] = useState('to');
  // What was done to it names it in the detail; its key is who did the other.
  const filter = kind === 'to' ? { q: user.id } : { access_key_id: user.access_key_id };
  const { rows, error, onRetry, more } = usePaged(['audit', 'list', filter], async (cursor, signal) => (
    (await send(api.GET('/api/audit', { params: { query: { ...filter, limit: 100, ...(cursor ? { cursor } : {}) } }, signal }))).data
  ));
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <SegmentedControl aria-label="Events" data={kinds} value={kind} onChange={setKind} />
        {kind === 'with' && <AuditLink accessKeyId={user.access_key_id}>Show in audit</AuditLink>}
      </Group>
      <DataTable
        label="Audit events" columns={columns.filter(({ id }) => shown.has(id)).map((column) => ({ ...column, width: '' }))} rows={rows} rowKey={(event) => event.id}
        error={error} onRetry={onRetry} more={more} empty={<Text>{kind === 'to' ? 'Nothing that was done to it is recorded yet.' : 'Nothing that was done with its key is recorded.'}</Text>}
      />
    </Stack>
  );
}
