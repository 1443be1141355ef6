import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { bucketsQuery } from '../../api/buckets';
import { api, ApiError, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { countOf, UsedBy, useUses } from './UsedBy';

interface DeleteBucketProps {
  backend: string;
  bucket: string;
  onClose: () => void;
}

/** Deletes a bucket after its name was typed; whoever opens it is shown first. */
export function DeleteBucket({ backend, bucket, onClose }: DeleteBucketProps) {
  const [typed, setTyped] = useState('');
  const [force, setForce] = useState(false);
  const uses = useUses(backend, bucket);
  const queryClient = useQueryClient();
  const remove = useAction(async () => {
    try {
      const query = force ? { force } : {};
      const { requestId } = await send(api.DELETE('/api/backends/{backend}/buckets/{bucket}', { params: { path: { backend, bucket }, query } }));
      onClose();
      tellDone(`Bucket ${bucket} deleted from ${backend}.`, requestId);
      void queryClient.invalidateQueries(bucketsQuery(backend));
    } catch (refused) {
      void uses.refetch();
      throw refused;
    }
  });
  const conflict = remove.error?.code === 'conflict';
  const named = countOf(uses.data) > 0 || (conflict && (uses.data?.partial ?? true));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void remove.run();
  };
  return (
    <Dialog title={`Delete bucket ${bucket}?`} busy={remove.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text>Only an empty bucket can be deleted. It goes from backend <b>{backend}</b> for good; somebody else may take its name.</Text>
          <UsedBy uses={uses} what="it" />
          {named && (
            <Checkbox
              size="sm" label="Delete it although it is in their scope" description="They stay as they are, and find the bucket missing"
              checked={force} onChange={(event) => setForce(event.currentTarget.checked)}
            />
          )}
          <TextInput
            label={<>Type <code>{bucket}</code> to delete it</>} data-autofocus autoComplete="off" autoCapitalize="none" spellCheck={false}
            value={typed} onChange={(event) => setTyped(event.currentTarget.value)}
          />
          {remove.error && <Refused error={remove.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={remove.busy}>Cancel</Button>
            <Button type="submit" color="danger" loading={remove.busy} disabled={typed !== bucket || (named && !force)}>Delete bucket</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function Refused({ error }: { error: ApiError }) {
  return (
    <Stack gap="xs">
      <ErrorNotice title="The bucket was not deleted" error={error} />
      {error.code === 'conflict' && (
        <Text c="dimmed">Objects, old versions and unfinished uploads all fill a bucket. Remove them with an S3 client, then try again.</Text>
      )}
    </Stack>
  );
}
