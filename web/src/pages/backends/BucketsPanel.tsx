import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { type Backend, bucketsQuery, quotasQuery } from '../../api/buckets';
import { api, type Schemas, send } from '../../api/client';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { IconWarning } from '../../components/icons';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { SampleReads } from '../../components/SampleReads';
import { SearchBox } from '../../components/SearchBox';
import { useAction } from '../../components/useAction';
import { capital, counted } from '../../lib/text';
import { BucketCORS } from './BucketCORS';
import { BucketQuota, QuotaBar } from './BucketQuota';
import { DeleteBucket } from './DeleteBucket';

type Bucket = Schemas['Bucket'];

const route = getRouteApi('/admin/backends/$backend');

// A backend may have thousands, and lists them at once.
const step = 100;
const manyBuckets = 10;

const columns: Column<Bucket>[] = [
  { id: 'bucket', header: 'Bucket', bare: true, cell: ({ bucket }) => <MonoId value={bucket} what="bucket" max={36} /> },
  { id: 'created', header: 'Created', cell: (bucket) => <RelativeTime value={bucket.created_at} absent="unknown" /> },
];

/** The buckets of a backend. */
export function BucketsPanel({ backend }: { backend: Backend }) {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const buckets = useQuery(bucketsQuery(backend.id));
  const quotas = useQuery({
    ...quotasQuery,
    // A count that is under way shows how far it is.
    refetchInterval: ({ state }) => (state.data?.some(({ usage }) => usage.scan ?? !usage.scanned_at) ? 2000 : false),
  });
  const [shown, setShown] = useState(step);
  const [deleting, setDeleting] = useState<string>();
  const [sharing, setSharing] = useState<string>();
  const [capping, setCapping] = useState<string>();
  const [sampling, setSampling] = useState<string>();
  const found = buckets.data?.filter((one) => one.bucket.includes(q));
  const quota: Column<Bucket> = {
    id: 'quota', header: 'Quota',
    cell: ({ bucket }) => <QuotaBar quota={quotas.data?.find((one) => one.backend === backend.id && one.bucket === bucket)} />,
  };
  const action: Column<Bucket> = {
    id: 'delete', header: '', align: 'end', bare: true,
    cell: ({ bucket }) => (
      <Group gap={4} justify="flex-end">
        <Button variant="default" size="compact-xs" onClick={() => setCapping(bucket)} aria-label={`Quota of bucket ${bucket}`}>Quota</Button>
        <Button variant="default" size="compact-xs" onClick={() => setSharing(bucket)} aria-label={`CORS of bucket ${bucket}`}>CORS</Button>
        <Button variant="default" size="compact-xs" onClick={() => setSampling(bucket)} aria-label={`Recorded reads of bucket ${bucket}`}>Reads</Button>
        <Button variant="default" size="compact-xs" onClick={() => setDeleting(bucket)} aria-label={`Delete bucket ${bucket}`}>Delete bucket</Button>
      </Group>
    ),
  };
  return (
    <Stack gap="md">
      {backend.health.checked_at && !backend.health.healthy && (
        <Alert color="danger" variant="outline" icon={<IconWarning />} title="The backend is unhealthy">
          {capital(backend.health.message ?? 'it did not answer')}. What is shown here may be old, and changes may fail.
        </Alert>
      )}
      <CreateBucket backend={backend.id} />
      {buckets.data && buckets.data.length > manyBuckets && (
        <Group gap="xs">
          <SearchBox label="Search by name" value={q || undefined} onChange={(next) => void navigate({ search: { tab: 'buckets', q: next }, replace: true })} />
          <Text c="dimmed">{counted(buckets.data.length, 'bucket')}</Text>
        </Group>
      )}
      <DataTable
        label="Buckets" columns={[...columns, quota, action]} rows={found?.slice(0, shown)} rowKey={(one) => one.bucket}
        error={buckets.error} onRetry={() => void buckets.refetch()}
        more={{ available: (found?.length ?? 0) > shown, loading: false, load: () => setShown(shown + step) }}
        empty={<Text>{q ? <>No bucket has <code>{q}</code> in its name.</> : 'There is no bucket on this backend.'}</Text>}
      />
      {sharing !== undefined && <BucketCORS backend={backend.id} bucket={sharing} onClose={() => setSharing(undefined)} />}
      {sampling !== undefined && <SampleReads name={sampling} reads={{ backend: backend.id, bucket: sampling }} onClose={() => setSampling(undefined)} />}
      {capping !== undefined && <BucketQuota backend={backend.id} bucket={capping} onClose={() => setCapping(undefined)} />}
      {deleting !== undefined && <DeleteBucket backend={backend.id} bucket={deleting} onClose={() => setDeleting(undefined)} />}
    </Stack>
  );
}

function CreateBucket({ backend }: { backend: string }) {
  const [name, setName] = useState('');
  const queryClient = useQueryClient();
  const create = useAction(async () => {
    const { requestId } = await send(api.POST('/api/backends/{backend}/buckets', { params: { path: { backend } }, body: { bucket: name } }));
    setName('');
    tellDone(`Bucket ${name} created on ${backend}.`, requestId);
    await queryClient.invalidateQueries(bucketsQuery(backend));
  });
  const fault = faultOf(create.error, 'bucket');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  const change = (next: string) => {
    create.reset();
    setName(next);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <Group gap="xs" align="flex-start" wrap="nowrap">
          <TextInput
            label="New bucket" placeholder="reports" required withAsterisk={false} autoComplete="off" autoCapitalize="none" spellCheck={false} flex={1}
            value={name} onChange={(event) => change(event.currentTarget.value)} error={fault}
          />
          <Button type="submit" size="sm" mt={22} loading={create.busy}>Create bucket</Button>
        </Group>
        {create.error && !fault && <ErrorNotice title="The bucket was not created" error={create.error} />}
      </Stack>
    </form>
  );
}
