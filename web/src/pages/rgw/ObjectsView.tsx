import { Anchor, Breadcrumbs, Button, FileButton, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { api, send } from '../../api/client';
import { rgwKey, type RGWObject, type RGWUser } from '../../api/rgw';
import { Bytes } from '../../components/Bytes';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { type Column, DataTable } from '../../components/DataTable';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { RelativeTime } from '../../components/RelativeTime';
import { useAction } from '../../components/useAction';
import { usePaged } from '../../components/usePaged';
import { visible } from '../../lib/text';
import { folders } from './words';

const route = getRouteApi('/rgw/users/list/$user');

interface ObjectsViewProps {
  user: RGWUser;
  bucket: string;
  writes: boolean;
}

type Row = { folder: string } | { object: RGWObject };

const nameOf = (row: Row) => ('folder' in row ? row.folder : row.object.key);

/** What a bucket holds, folder by folder. */
export function ObjectsView({ user, bucket, writes }: ObjectsViewProps) {
  const { prefix = '' } = route.useSearch();
  const [deleting, setDeleting] = useState<string>();
  const path = { user_id: user.id, bucket };
  const listKey = [...rgwKey, user.id, 'objects', bucket, prefix];
  const { rows, error, onRetry, more } = usePaged<Row>(listKey, async (cursor, signal) => {
    const { data } = await send(api.GET('/rgw/users/{user_id}/buckets/{bucket}/objects', {
      params: { path, query: { prefix, delimiter: '/', ...(cursor ? { cursor } : {}) } }, signal,
    }));
    const items: Row[] = [...data.prefixes.map((folder) => ({ folder })), ...data.items.map((object) => ({ object }))];
    return { items, ...(data.next_cursor ? { next_cursor: data.next_cursor } : {}) };
  });
  const columns: Column<Row>[] = [
    { id: 'name', header: 'Key', bare: true, long: true, cell: (row) => <Name row={row} prefix={prefix} bucket={bucket} /> },
    { id: 'size', header: 'Size', align: 'end', cell: (row) => 'object' in row && <Bytes n={row.object.size_bytes} /> },
    { id: 'modified', header: 'Modified', cell: (row) => 'object' in row && <RelativeTime value={row.object.last_modified} /> },
    {
      id: 'actions', header: 'Actions', actions: true, cell: (row) => 'object' in row && (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button component="a" href={address(user.id, bucket, row.object.key)} download variant="default" size="compact-xs" aria-label={`Download ${visible(row.object.key)}`}>Download</Button>
          {writes && <Button variant="default" size="compact-xs" aria-label={`Delete ${visible(row.object.key)}`} onClick={() => setDeleting(row.object.key)}>Delete</Button>}
        </Group>
      ),
    },
  ];
  return (
    <Stack gap="sm">
      <Where bucket={bucket} prefix={prefix} />
      {writes && <Upload user={user} bucket={bucket} prefix={prefix} />}
      <DataTable label="Objects" columns={columns} rows={rows} rowKey={nameOf} error={error} onRetry={onRetry} more={more} empty={<Text>{prefix ? 'Nothing is here.' : 'The bucket is empty.'}</Text>} />
      {deleting !== undefined && <DeleteObject user={user} bucket={bucket} objectKey={deleting} onClose={() => setDeleting(undefined)} />}
    </Stack>
  );
}

function address(user: string, bucket: string, key: string): string {
  return `/rgw/users/${encodeURIComponent(user)}/buckets/${encodeURIComponent(bucket)}/objects/download?key=${encodeURIComponent(key)}`;
}

function Name({ row, prefix, bucket }: { row: Row; prefix: string; bucket: string }) {
  const shown = visible(nameOf(row).slice(prefix.length)) || '(the folder itself)';
  if ('object' in row) {
    return <code>{shown}</code>;
  }
  return <Link from="/rgw/users/$user" to="." search={({ q, project }) => ({ q, project, tab: 'buckets', bucket, prefix: row.folder })}><code>{shown}</code></Link>;
}

function Where({ bucket, prefix }: { bucket: string; prefix: string }) {
  const steps = [{ name: bucket, prefix: '' }, ...folders(prefix)];
  return (
    <nav aria-label="Folder">
      <Breadcrumbs separatorMargin={6} style={{ flexWrap: 'wrap' }}>
        <Link from="/rgw/users/$user" to="." search={({ q, project }) => ({ q, project, tab: 'buckets' })}>Buckets</Link>
        {steps.map((step) => (
          <Anchor key={step.prefix} component={Link} from="/rgw/users/$user" to="." search={((was: Record<string, string>) => ({ q: was['q'], project: was['project'], tab: 'buckets', bucket, ...(step.prefix ? { prefix: step.prefix } : {}) })) as never}>
            <code>{visible(step.name) || '/'}</code>
          </Anchor>
        ))}
      </Breadcrumbs>
    </nav>
  );
}

function Upload({ user, bucket, prefix }: { user: RGWUser; bucket: string; prefix: string }) {
  const queryClient = useQueryClient();
  const upload = useAction(async (file: File) => {
    const form = new FormData();
    form.append('key', prefix + file.name); // before the file, which streams
    form.append('file', file);
    const { requestId } = await send(api.POST('/rgw/users/{user_id}/buckets/{bucket}/objects', {
      params: { path: { user_id: user.id, bucket } }, body: { key: '', file: '' }, bodySerializer: () => form,
    }));
    tellDone(`${prefix}${file.name} uploaded.`, requestId);
    await queryClient.invalidateQueries({ queryKey: [...rgwKey, user.id] });
  });
  return (
    <>
      <Group gap="xs">
        <FileButton onChange={(file) => { if (file) { void upload.run(file); } }}>
          {(props) => <Button {...props} variant="default" loading={upload.busy}>Upload object</Button>}
        </FileButton>
        <Text c="dimmed" size="xs">For many or large ones take an S3 client.</Text>
      </Group>
      {upload.error && <ErrorNotice title="The object was not uploaded" error={upload.error} />}
    </>
  );
}

function DeleteObject({ user, bucket, objectKey, onClose }: { user: RGWUser; bucket: string; objectKey: string; onClose: () => void }) {
  const queryClient = useQueryClient();
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/rgw/users/{user_id}/buckets/{bucket}/objects', { params: { path: { user_id: user.id, bucket }, query: { key: objectKey } } }));
    tellDone(`${visible(objectKey)} deleted.`, requestId);
    await queryClient.invalidateQueries({ queryKey: [...rgwKey, user.id] });
  };
  return (
    <ConfirmDialog
      title="Delete this object?" confirm="Delete object" danger action={remove} onClose={onClose}
      explain={(error) => <ErrorNotice title="The object was not deleted" error={error} />}
    >
      <Text style={{ overflowWrap: 'anywhere' }}><code>{bucket}/{visible(objectKey)}</code> is deleted for good, unless the bucket keeps versions.</Text>
    </ConfirmDialog>
  );
}
