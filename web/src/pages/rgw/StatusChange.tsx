import { Text } from '@mantine/core';

import type { RGWUser } from '../../api/rgw';
import { ChangeForm } from './ChangeForm';
import { useChange } from './useChange';

/** Stops a user's key, or lets it work again. */
export function StatusChange({ user, onClose }: { user: RGWUser; onClose: () => void }) {
  const change = useChange(user, onClose);
  const [verb, done, status] = user.status === 'active' ? ['Disable', 'disabled', 'disabled'] as const : ['Enable', 'enabled', 'active'] as const;
  return (
    <ChangeForm
      title={`${verb} ${user.name}?`} confirm={`${verb} user`} refused={`The user was not ${done}`} fields={['status']} change={change}
      onSubmit={() => void change.run({ status }, `RGW user ${user.name} ${done}.`)} onClose={onClose}
    >
      <Text>{status === 'active' ? 'Its key works again with the secret that it has.' : 'Programs that use its key are refused at once, until it is enabled. Its buckets and objects stay.'}</Text>
    </ChangeForm>
  );
}
