import { Group, Text } from '@mantine/core';

import type { RGWUser } from '../../api/rgw';
import { AuditLink } from '../../components/AuditLink';
import { DataTable } from '../../components/DataTable';
import { usePaged } from '../../components/usePaged';
import { columns } from '../audit/columns';
import { readEvents } from '../audit/events';

const shown = new Set(['time', 'action', 'result', 'who']);

/** What was done to a user and with its key, newest first; for admins. */
export function EventsTab({ user }: { user: RGWUser }) {
  const search = { access_key_id: user.access_key_id };
  const { rows, error, onRetry, more } = usePaged(['audit', 'list', search], (cursor, signal) => readEvents(search, cursor, signal));
  return (
    <>
      <Group justify="space-between" mb="xs"><Text c="dimmed">What was done to it, and with its key.</Text><AuditLink accessKeyId={user.access_key_id}>Show in audit</AuditLink></Group>
      <DataTable
        label="Audit events" columns={columns.filter(({ id }) => shown.has(id)).map((column) => ({ ...column, width: '' }))} rows={rows} rowKey={(event) => event.id}
        error={error} onRetry={onRetry} more={more} empty={<Text>Nothing has been recorded of it.</Text>}
      />
    </>
  );
}
