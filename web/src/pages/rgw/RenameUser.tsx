import { TextInput } from '@mantine/core';
import { useState } from 'react';

import type { RGWUser } from '../../api/rgw';
import { faultOf } from '../../components/faults';
import { ChangeForm } from './ChangeForm';
import { useChange } from './useChange';

/** Gives a user another name. */
export function RenameUser({ user, onClose }: { user: RGWUser; onClose: () => void }) {
  const [name, setName] = useState(user.name);
  const change = useChange(user, onClose);
  return (
    <ChangeForm
      title="Rename RGW user" confirm="Rename user" refused="The user was not renamed" fields={['name']} change={change} disabled={name === user.name}
      onSubmit={() => void change.run({ name }, `RGW user ${user.name} is now ${name}.`)} onClose={onClose}
    >
      <TextInput
        label="Name" description="Unique in its project; its key and buckets stay" required data-autofocus autoComplete="off"
        value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(change.error, 'name')}
      />
    </ChangeForm>
  );
}
