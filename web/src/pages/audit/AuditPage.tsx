import { Box, Button } from '@mantine/core';
import { useIsFetching, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Outlet, useParams } from '@tanstack/react-router';

import { DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { FilterBar } from '../../components/FilterBar';
import { IconDownload, IconRefresh } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { usePaged } from '../../components/usePaged';
import { Chain } from './Chain';
import { columns } from './columns';
import { auditCommand } from './command';
import { readEvents } from './events';
import { type AuditSearch, csvAddress } from './filters';
import { TimeRange } from './TimeRange';
import { useChips } from './useChips';

const route = getRouteApi('/admin/audit');

/** The audit trail, newest first. */
export function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { eventId } = useParams({ strict: false });
  const { rows, error, onRetry, more } = usePaged(['audit', 'list', search], (cursor, signal) => readEvents(search, cursor, signal));
  const filter = (patch: { [Name in keyof AuditSearch]: string | undefined }) => {
    void navigate({ to: '/admin/audit', search: { ...search, ...patch }, resetScroll: false });
  };
  return (
    <>
      <PageHeader title="Audit" actions={<><Chain /><Csv search={search} /><Refresh /></>} />
      <Box mb="sm">
        <FilterBar filters={useChips()} values={search} onChange={filter}>
          <TimeRange since={search.since} until={search.until} onChange={filter} />
        </FilterBar>
      </Box>
      <DataTable
        label="Audit events" columns={columns} rows={rows} rowKey={(event) => event.id} active={eventId}
        error={error} onRetry={onRetry} more={more} empty={<NoEvents search={search} />}
        onOpen={(event) => void navigate({ to: '/admin/audit/$eventId', params: { eventId: event.id }, search, resetScroll: false })}
      />
      <Outlet />
    </>
  );
}

/** All events of the filter, not only those that are shown. */
function Csv({ search }: { search: AuditSearch }) {
  return (
    <Button
      component="a" variant="default" leftSection={<IconDownload />} href={csvAddress(search, new Date())} download
      // A range that ends now ends when it is clicked.
      onClick={(event) => { event.currentTarget.href = csvAddress(search, new Date()); }}
    >
      Download CSV
    </Button>
  );
}

function Refresh() {
  const queryClient = useQueryClient();
  const reading = useIsFetching({ queryKey: ['audit', 'list'] }) > 0;
  return (
    <Button variant="default" leftSection={<IconRefresh />} loading={reading} onClick={() => void queryClient.invalidateQueries({ queryKey: ['audit', 'list'] })}>
      Refresh
    </Button>
  );
}

function NoEvents({ search }: { search: AuditSearch }) {
  const navigate = route.useNavigate();
  const filtered = Object.keys(search).length > 0;
  return (
    <Empty
      command={auditCommand(search)}
      action={filtered && <Button variant="default" onClick={() => void navigate({ to: '/admin/audit', search: {} })}>Remove all filters</Button>}
    >
      {filtered ? 'No event matches these filters.' : 'Nothing has been recorded yet.'}
    </Empty>
  );
}
