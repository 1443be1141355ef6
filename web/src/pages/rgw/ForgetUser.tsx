import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, send } from '../../api/client';
import { rgwKey, type RGWUser, rgwUserQuery } from '../../api/rgw';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';

/** Gives a Ceph's user back; for admins. */
export function ForgetUser({ user, onClose }: { user: RGWUser; onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const forget = async () => {
    const { requestId } = await send(api.POST('/rgw/users/{user_id}/forget', { params: { path: { user_id: user.id } } }));
    tellDone(`RGW user ${user.name} forgotten.`, requestId);
    await navigate({ to: '/rgw/users', search: ({ q, project }) => ({ q, project }) });
    queryClient.removeQueries(rgwUserQuery(user.id));
    await queryClient.invalidateQueries({ queryKey: rgwKey });
  };
  return (
    <ConfirmDialog
      title={`Forget RGW user ${user.name}?`} confirm="Forget user" danger action={forget} onClose={onClose}
      explain={(error) => <ErrorNotice title="The user was not forgotten" error={error} />}
    >
      <Text><code>{user.access_key_id}</code> is refused at the gateway at once.</Text>
      <Text>At the Ceph the user <code>{user.uid}</code> stays as it is, with its key, buckets and objects. It can be adopted again.</Text>
    </ConfirmDialog>
  );
}
