import { useQueryClient } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { tellDone } from '../../components/done';
import { type Action, useAction } from '../../components/useAction';

/** Edits a user, tells that it is done and reads it anew. */
export function useChange(user: RGWUser, onClose: () => void): Action<[Schemas['RGWUserEdit'], string], void> {
  const queryClient = useQueryClient();
  return useAction(async (body: Schemas['RGWUserEdit'], done: string) => {
    const { requestId } = await send(api.PATCH('/rgw/users/{user_id}', { params: { path: { user_id: user.id } }, body }));
    await queryClient.invalidateQueries({ queryKey: rgwKey });
    onClose();
    tellDone(done, requestId);
  });
}
