import { Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, send } from '../../api/client';
import { type Member, type Project, projectQuery } from '../../api/projects';
import { useAccount, useIsAdmin } from '../../api/session';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useChanged } from './useChanged';

interface RemoveMemberProps {
  project: Project;
  member: Member;
  onClose: () => void;
}

/** Takes an account out of a project. */
export function RemoveMember({ project, member: { account }, onClose }: RemoveMemberProps) {
  const own = useAccount().name === account;
  const isAdmin = useIsAdmin();
  const leaves = own && !isAdmin;
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const changed = useChanged();
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/api/projects/{id}/members/{account}', { params: { path: { id: project.id, account } } }));
    tellDone(`${account} removed from ${project.name}.`, requestId);
    if (leaves) {
      await navigate({ to: '/projects', search: (was) => was });
      queryClient.removeQueries(projectQuery(project.id));
    }
    await changed();
  };
  return (
    <ConfirmDialog
      title={`Remove ${account} from ${project.name}?`} confirm="Remove member" danger action={remove} onClose={onClose}
      explain={(error) => <ErrorNotice title="The member was not removed" error={error} />}
    >
      <Stack gap="xs">
        <Text>The account no longer sees the project. Its API tokens that are bound to the project are revoked for good: programs that use them are refused at once.</Text>
        {leaves && <Text>This is you: you will no longer see it.</Text>}
      </Stack>
    </ConfirmDialog>
  );
}
