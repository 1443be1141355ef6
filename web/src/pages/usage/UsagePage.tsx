import { Alert, Button, Group, SegmentedControl, Select, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { Empty } from '../../components/Empty';
import { ErrorNotice } from '../../components/ErrorNotice';
import { type Filter, FilterBar } from '../../components/FilterBar';
import { IconDownload } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { DayTable } from './DayTable';
import { byOf, csvAddress, daysOf, kindsOfThing, measureOf, measures, spans, type Usage, type UsageSearch, usageQuery } from './usage';
import { UsageChart } from './UsageChart';
import { UsageTable } from './UsageTable';

const route = getRouteApi('/admin/usage');

const filters: Filter<'backend' | 'bucket' | 'access_key_id' | 'project_id'>[] = [
  { name: 'backend', label: 'Backend' },
  { name: 'bucket', label: 'Bucket' },
  { name: 'access_key_id', label: 'Access key', placeholder: 'AKIA…' },
  { name: 'project_id', label: 'Project', placeholder: 'its id' },
];

/** Who used what, and how much on each day. */
export function UsagePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const usage = useQuery(usageQuery(search));
  const change = (patch: { [Name in keyof UsageSearch]: string | undefined }) => {
    void navigate({ to: '/admin/usage', search: { ...search, ...patch }, resetScroll: false });
  };
  return (
    <>
      <PageHeader title="Usage" actions={<Csv search={search} />}>Bytes and requests by UTC day. Of buckets that are counted, what they hold too.</PageHeader>
      <Stack gap="md">
        <FilterBar filters={filters} values={search} onChange={change}>
          <Select aria-label="Span" w={112} data={spans} value={String(daysOf(search))} allowDeselect={false} onChange={(days) => change({ days: days ?? undefined })} />
        </FilterBar>
        {usage.error && <ErrorNotice title="Usage could not be read" error={usage.error} onRetry={() => void usage.refetch()} />}
        {usage.data ? <Shown usage={usage.data} search={search} change={change} /> : !usage.error && <Loading />}
      </Stack>
    </>
  );
}

interface ShownProps {
  usage: Usage;
  search: UsageSearch;
  change: (patch: { [Name in keyof UsageSearch]: string | undefined }) => void;
}

function Shown({ usage, search, change }: ShownProps) {
  if (usage.items.length === 0) {
    return <Empty command="keystile usage">Nothing was used in these days.</Empty>;
  }
  const measure = measureOf(search);
  const known = usage.days.some((day) => measure.of(day) !== undefined);
  return (
    <>
      <section aria-label="Usage over time">
        <Group justify="space-between" mb="xs">
          <Title order={2}>Over time</Title>
          <Select
            aria-label="Shown" w={136} data={measures.map(({ value, label }) => ({ value, label }))} value={measure.value} allowDeselect={false}
            onChange={(show) => change({ show: show ?? undefined })}
          />
        </Group>
        {known
          ? <><UsageChart days={usage.days} measure={measure} /><DayTable days={usage.days} /></>
          : <Empty command="keystile quota scan BACKEND/BUCKET">What is stored is known of buckets that are counted; none of these is.</Empty>}
      </section>
      <section aria-label="Who uses what">
        <Group justify="space-between" mb="xs">
          <Title order={2}>Who uses what</Title>
          <SegmentedControl aria-label="By" data={kindsOfThing} value={byOf(search)} onChange={(by) => change({ by })} />
        </Group>
        {usage.more && <Alert variant="outline" color="gray" mb="xs">These are the first {usage.items.length.toLocaleString('en')}. The CSV has all.</Alert>}
        <UsageTable items={usage.items} by={usage.by} sort={search.sort} onSort={(sort) => change({ sort })} onNarrow={change} />
        <Text c="dimmed" mt="xs" size="sm">Writes, deletes and bytes in are exact against the audit trail; the others are written every 5 seconds.</Text>
      </section>
    </>
  );
}

/** All days and things of the filter, not only those that are shown. */
function Csv({ search }: { search: UsageSearch }) {
  return (
    <Button component="a" variant="default" leftSection={<IconDownload />} href={csvAddress(search, new Date())} download>
      Download CSV
    </Button>
  );
}

function Loading() {
  return (
    <Stack gap="md" role="status" aria-label="Loading">
      <Skeleton height={204} />
      <Skeleton height={240} />
    </Stack>
  );
}
