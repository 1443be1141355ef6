import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { type Project, projectsQuery } from '../../api/projects';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';

/** Gives a project another name. */
export function RenameProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const [name, setName] = useState(project.name);
  const queryClient = useQueryClient();
  const rename = useAction(async () => {
    const { requestId } = await send(api.PATCH('/api/projects/{id}', { params: { path: { id: project.id } }, body: { name } }));
    await queryClient.invalidateQueries(projectsQuery);
    onClose();
    tellDone(`Project ${project.name} is now ${name}.`, requestId);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void rename.run();
  };
  return (
    <Dialog title="Rename project" busy={rename.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name" description="Unique in any case; its id stays" required data-autofocus autoComplete="off"
            value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(rename.error, 'name')}
          />
          {rename.error && <ErrorNotice title="The project was not renamed" error={rename.error} shown={(field) => field === 'name'} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={rename.busy}>Cancel</Button>
            <Button type="submit" loading={rename.busy} disabled={name === project.name}>Rename project</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
