import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, type ApiError, send } from '../../api/client';
import { type RGWJob, rgwKey, type RGWUser, rgwUserQuery } from '../../api/rgw';
import { Bytes } from '../../components/Bytes';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';

/** Deletes a user; what its buckets hold only after its name was typed. */
export function DeleteUser({ user, onClose }: { user: RGWUser; onClose: () => void }) {
  const [purge, setPurge] = useState(false);
  const [typed, setTyped] = useState('');
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = useAction(async () => {
    const { data, requestId } = await send(api.DELETE('/rgw/users/{user_id}', { params: { path: { user_id: user.id }, query: purge ? { purge_objects: true } : {} } }));
    onClose();
    const job = data as RGWJob | undefined;
    if (job) { // it takes a while: the drawer shows how far it has come
      tellDone(`Deletion of ${user.name} has begun.`, requestId);
      // Not read anew: a user who is gone by then would not show the job's end.
      queryClient.setQueryData(rgwUserQuery(user.id).queryKey, { ...user, status: 'disabled', job });
      return;
    }
    tellDone(`RGW user ${user.name} deleted.`, requestId);
    await navigate({ to: '/rgw/users', search: ({ q, project }) => ({ q, project }) });
    queryClient.removeQueries(rgwUserQuery(user.id));
    await queryClient.invalidateQueries({ queryKey: rgwKey });
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void remove.run();
  };
  return (
    <Dialog title={`Delete RGW user ${user.name}?`} busy={remove.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>Programs that use <code>{user.access_key_id}</code> are refused at once, for good.</Text>
          {user.buckets_total_size_kb !== null && user.buckets_total_size_kb > 0 && <Text>Its buckets hold <Bytes n={user.buckets_total_size_kb * 1024} />.</Text>}
          <Checkbox
            size="sm" label="Delete all its objects too" description="Every version of them, for good. Otherwise only a user whose buckets are empty is deleted." data-autofocus
            checked={purge} onChange={(event) => setPurge(event.currentTarget.checked)}
          />
          {purge && (
            <TextInput
              label={<>Type <code>{user.name}</code> to delete it with its objects</>} autoComplete="off" autoCapitalize="none" spellCheck={false}
              value={typed} onChange={(event) => setTyped(event.currentTarget.value)}
            />
          )}
          {remove.error && <Refused error={remove.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={remove.busy}>Cancel</Button>
            <Button type="submit" color="danger" loading={remove.busy} disabled={purge && typed !== user.name}>Delete user</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function Refused({ error }: { error: ApiError }) {
  return (
    <Stack gap="xs">
      <ErrorNotice title="The user was not deleted" error={error} />
      {error.code === 'not_empty' && <Text c="dimmed">Objects, old versions and unfinished uploads all fill a bucket.</Text>}
    </Stack>
  );
}
