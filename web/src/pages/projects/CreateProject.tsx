import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { projectsQuery } from '../../api/projects';
import { useAccount } from '../../api/session';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { AccountField } from './AccountField';

/** Makes a project and opens it, for its members to be added. */
export function CreateProject({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [owner, setOwner] = useState(useAccount().name);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const create = useAction(async () => {
    const { data, requestId } = await send(api.POST('/api/projects', { body: { name, owner } }));
    await queryClient.invalidateQueries(projectsQuery);
    onClose();
    tellDone(`Project ${data.name} created.`, requestId);
    await navigate({ to: '/projects/$project', params: { project: data.id }, search: {} });
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  return (
    <Dialog title="Create project" busy={create.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name" description="Unique in any case; can be changed later" placeholder="Data platform" required data-autofocus autoComplete="off"
            value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(create.error, 'name')}
          />
          <AccountField label="Owner" description="Manages its members; more owners can be added" value={owner} onChange={setOwner} fault={faultOf(create.error, 'owner')} />
          {create.error && <ErrorNotice title="The project was not created" error={create.error} shown={(field) => ['name', 'owner'].includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={create.busy}>Cancel</Button>
            <Button type="submit" loading={create.busy}>Create project</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
