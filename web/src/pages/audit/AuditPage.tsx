import { Box, Button, Group, Switch, Text } from '@mantine/core';
import { useIsFetching, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Outlet, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { FilterBar } from '../../components/FilterBar';
import { IconDownload, IconRefresh } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { usePaged } from '../../components/usePaged';
import { counted, visible } from '../../lib/text';
import { Chain } from './Chain';
import { columns } from './columns';
import { auditCommand } from './command';
import { type Event, readEvents } from './events';
import { type AuditSearch, exportAddress, type ExportFormat } from './filters';
import { Histogram } from './Histogram';
import { withLive } from './live';
import { SinkAlarm } from './SinkAlarm';
import { TimeRange } from './TimeRange';
import { useChips } from './useChips';
import { type Live, useLive } from './useLive';
import { Views } from './Views';

const route = getRouteApi('/admin/audit');

/** The audit trail, newest first. */
export function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { eventId } = useParams({ strict: false });
  const { rows, error, onRetry, more } = usePaged(['audit', 'list', search], (cursor, signal) => readEvents(search, cursor, signal));
  const [run, setRun] = useState(0); // of following; 0: it is off
  const [frozen, setFrozen] = useState<readonly Event[]>(); // what is shown while it is paused
  const ends = search.until !== undefined; // nothing comes any more
  const on = run > 0 && !ends;
  const live = useLive(search, ends ? 0 : run);
  const shown = frozen ?? live.rows;
  const filter = (patch: { [Name in keyof AuditSearch]: string | undefined }) => {
    void navigate({ to: '/admin/audit', search: { ...search, ...patch }, resetScroll: false });
  };
  return (
    <>
      <PageHeader title="Audit" actions={<><Chain /><Views search={search} /><Downloads search={search} /><Refresh /></>} />
      <SinkAlarm />
      <Box mb="sm">
        <FilterBar filters={useChips()} values={search} onChange={filter}>
          <TimeRange since={search.since} until={search.until} onChange={filter} />
        </FilterBar>
      </Box>
      <Histogram search={search} onRange={filter} />
      <Group mb="sm" gap="sm" mih={30}>
        <Switch label="Live" checked={on} disabled={ends} onChange={(event) => { setRun(event.currentTarget.checked ? Date.now() : 0); setFrozen(undefined); }} />
        {on && live.ended === undefined && (
          <Button variant="default" size="compact-sm" onClick={() => setFrozen(frozen ? undefined : live.rows)}>{frozen ? 'Resume' : 'Pause'}</Button>
        )}
        <Text span c="dimmed" role="status">{on && standing(live, frozen)}</Text>
      </Group>
      <DataTable
        label="Audit events" columns={columns} rows={rows && (on ? withLive(rows, [...shown].reverse()) : rows)} rowKey={(event) => event.id} active={eventId}
        error={error} onRetry={onRetry} more={more} empty={<NoEvents search={search} />}
        onOpen={(event) => void navigate({ to: '/admin/audit/$eventId', params: { eventId: event.id }, search, resetScroll: false })}
      />
      <Outlet />
    </>
  );
}

/** How it goes with following, in words. */
function standing({ rows, ended }: Live, frozen: readonly Event[] | undefined): string {
  if (ended !== undefined) {
    return `It ended: ${visible(ended)}. Switch it off and on to follow again.`;
  }
  if (frozen) {
    const place = rows.findIndex(({ id }) => id === frozen[0]?.id);
    const waiting = place < 0 ? rows.length : place;
    return waiting === 0 ? 'Paused.' : `Paused; ${counted(waiting, 'event')} came.`;
  }
  return 'New events appear as they are recorded.';
}

const formats = [
  { format: 'csv', label: 'Download CSV' },
  { format: 'jsonl', label: 'JSONL' },
  { format: 'ocsf', label: 'OCSF' },
] as const satisfies { format: ExportFormat; label: string }[];

/** All events of the filter, not only those that are shown. */
function Downloads({ search }: { search: AuditSearch }) {
  return (
    <Button.Group>
      {formats.map(({ format, label }) => (
        <Button
          key={format} component="a" variant="default" {...(format === 'csv' ? { leftSection: <IconDownload /> } : { px: 'xs', 'aria-label': `Download ${label}` })}
          href={exportAddress(search, new Date(), format)} download
          // A range that ends now ends when it is clicked.
          onClick={(event) => { event.currentTarget.href = exportAddress(search, new Date(), format); }}
        >
          {label}
        </Button>
      ))}
    </Button.Group>
  );
}

function Refresh() {
  const queryClient = useQueryClient();
  const reading = useIsFetching({ queryKey: ['audit', 'list'] }) > 0;
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: ['audit', 'list'] });
    void queryClient.invalidateQueries({ queryKey: ['audit', 'histogram'] });
  };
  return <Button variant="default" leftSection={<IconRefresh />} loading={reading} onClick={refresh}>Refresh</Button>;
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
