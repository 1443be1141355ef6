import { Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, send } from '../../api/client';
import { type Project, projectQuery, projectsQuery } from '../../api/projects';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { counted } from '../../lib/text';

/** Removes a project. */
export function DeleteProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/api/projects/{id}', { params: { path: { id: project.id } } }));
    tellDone(`Project ${project.name} deleted.`, requestId);
    await navigate({ to: '/projects', search: (was) => was });
    queryClient.removeQueries(projectQuery(project.id));
    await queryClient.invalidateQueries(projectsQuery);
  };
  return (
    <ConfirmDialog
      title={`Delete project ${project.name}?`} confirm="Delete project" danger action={remove} onClose={onClose}
      explain={(error) => <ErrorNotice title="The project was not deleted" error={error} />}
    >
      <Stack gap="xs">
        <Text>{counted(project.members, 'member')} no longer see it, and the API tokens that are bound to it are revoked for good: programs that use them are refused at once.</Text>
        <Text>The accounts themselves stay.</Text>
      </Stack>
    </ConfirmDialog>
  );
}
