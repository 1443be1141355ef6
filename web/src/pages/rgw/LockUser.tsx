import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';

import type { RGWUser } from '../../api/rgw';
import { faultOf } from '../../components/faults';
import { ChangeForm } from './ChangeForm';
import { useChange } from './useChange';

interface LockProps {
  user: RGWUser;
  onClose: () => void;
}

/** Guards a user against renewal and deletion. */
export function LockUser({ user, onClose }: LockProps) {
  const [reason, setReason] = useState('');
  const change = useChange(user, onClose);
  return (
    <ChangeForm
      title={`Lock ${user.name}?`} confirm="Lock user" refused="The user was not locked" fields={['lock_reason']} change={change}
      onSubmit={() => void change.run({ locked: true, ...(reason ? { lock_reason: reason } : {}) }, `RGW user ${user.name} locked.`)} onClose={onClose}
    >
      <Text>Its key is not renewed and the user is not deleted, by nobody, until it is unlocked. Its key goes on working.</Text>
      <TextInput label="Reason" description="Its project’s members read it" data-autofocus autoComplete="off" value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={faultOf(change.error, 'lock_reason')} />
    </ChangeForm>
  );
}

/** Takes a lock away. */
export function UnlockUser({ user, onClose }: LockProps) {
  const change = useChange(user, onClose);
  return (
    <ChangeForm
      title={`Unlock ${user.name}?`} confirm="Unlock user" refused="The user was not unlocked" fields={[]} change={change}
      onSubmit={() => void change.run({ locked: false }, `RGW user ${user.name} unlocked.`)} onClose={onClose}
    >
      {user.lock_reason && <Text>It was locked because: {user.lock_reason}</Text>}
      <Text>Whoever may write in its project can then renew its key and delete it.</Text>
    </ChangeForm>
  );
}
