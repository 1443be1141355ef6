import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { type RGWBucket, rgwBucketsQuery, rgwKey, type RGWUser } from '../../api/rgw';
import { Bytes } from '../../components/Bytes';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { RelativeTime } from '../../components/RelativeTime';
import { useAction } from '../../components/useAction';
import { BucketAccess } from './BucketAccess';
import { ObjectsView } from './ObjectsView';

const route = getRouteApi('/rgw/users/list/$user');

interface BucketsTabProps {
  user: RGWUser;
  writes: boolean;
}

/** A user's buckets, or what one of them holds. */
export function BucketsTab(props: BucketsTabProps) {
  const { bucket } = route.useSearch();
  return bucket === undefined ? <Buckets {...props} /> : <ObjectsView key={bucket} bucket={bucket} {...props} />;
}

const columns: Column<RGWBucket>[] = [
  {
    id: 'name', header: 'Bucket', bare: true, long: true, cell: ({ name }) => (
      <Link from="/rgw/users/$user" to="." search={({ q, project }) => ({ q, project, tab: 'buckets', bucket: name })}><code>{name}</code></Link>
    ),
  },
  { id: 'size', header: 'Size', align: 'end', cell: ({ size_bytes }) => <Bytes n={size_bytes} /> },
  { id: 'objects', header: 'Objects', align: 'end', cell: ({ objects }) => objects.toLocaleString('en') },
  { id: 'created', header: 'Created', cell: ({ created_at }) => <RelativeTime value={created_at} /> },
];

function Buckets({ user, writes }: BucketsTabProps) {
  const buckets = useQuery(rgwBucketsQuery(user.id));
  const [doing, setDoing] = useState<{ what: 'access' | 'delete'; bucket: string }>();
  const close = () => setDoing(undefined);
  const action: Column<RGWBucket> = {
    id: 'actions', header: 'Actions', actions: true, cell: ({ name }) => (
      <Group gap={4} justify="flex-end" wrap="nowrap">
        <Button variant="default" size="compact-xs" aria-label={`Access to bucket ${name}`} onClick={() => setDoing({ what: 'access', bucket: name })}>Access</Button>
        <Button variant="default" size="compact-xs" aria-label={`Delete bucket ${name}`} onClick={() => setDoing({ what: 'delete', bucket: name })}>Delete</Button>
      </Group>
    ),
  };
  return (
    <Stack gap="md">
      {writes && <CreateBucket user={user} />}
      <DataTable
        label="Buckets" columns={writes ? [...columns, action] : columns} rows={buckets.data} rowKey={({ name }) => name}
        error={buckets.error} onRetry={() => void buckets.refetch()} empty={<Text>It owns no bucket yet.</Text>}
      />
      {doing?.what === 'access' && <BucketAccess user={user} bucket={doing.bucket} onClose={close} />}
      {doing?.what === 'delete' && <DeleteBucket user={user} bucket={doing.bucket} onClose={close} />}
    </Stack>
  );
}

function CreateBucket({ user }: { user: RGWUser }) {
  const [name, setName] = useState('');
  const queryClient = useQueryClient();
  const create = useAction(async () => {
    const { requestId } = await send(api.POST('/rgw/users/{user_id}/buckets', { params: { path: { user_id: user.id } }, body: { name } }));
    setName('');
    tellDone(`Bucket ${name} created.`, requestId);
    await queryClient.invalidateQueries({ queryKey: [...rgwKey, user.id] });
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="xs">
        <TextInput
          label="New bucket" placeholder="name" required autoComplete="off" autoCapitalize="none" spellCheck={false} classNames={{ input: 'mono' }}
          value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(create.error, 'name') ?? faultOf(create.error, 'bucket')}
        />
        <Button type="submit" variant="default" loading={create.busy}>Create bucket</Button>
      </Group>
      {create.error && <ErrorNotice title="The bucket was not created" error={create.error} shown={(field) => ['name', 'bucket'].includes(field)} />}
    </form>
  );
}

function DeleteBucket({ user, bucket, onClose }: { user: RGWUser; bucket: string; onClose: () => void }) {
  const queryClient = useQueryClient();
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/rgw/users/{user_id}/buckets/{bucket}', { params: { path: { user_id: user.id, bucket } } }));
    tellDone(`Bucket ${bucket} deleted.`, requestId);
    await queryClient.invalidateQueries({ queryKey: [...rgwKey, user.id] });
  };
  return (
    <ConfirmDialog
      title={`Delete bucket ${bucket}?`} confirm="Delete bucket" danger action={remove} onClose={onClose}
      explain={(error) => <ErrorNotice title="The bucket was not deleted" error={error} />}
    >
      Only an empty bucket is deleted. Somebody else may take its name.
    </ConfirmDialog>
  );
}
