import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { type Account, useAccount } from '../../api/session';
import { tellDone } from '../../components/done';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { explainRefusal } from './LastAdmin';
import { RoleChoice } from './RoleChoice';
import { useChanged } from './useChanged';

/** Gives an account another role. */
export function ChangeRole({ account: { name, role: was }, onClose }: { account: Account; onClose: () => void }) {
  const [role, setRole] = useState(was);
  const own = useAccount().name === name;
  const changed = useChanged(name);
  const change = useAction(async () => {
    const { requestId } = await send(api.PATCH('/api/accounts/{name}', { params: { path: { name } }, body: { role } }));
    onClose();
    tellDone(`Account ${name} is now ${role}.`, requestId);
    await changed();
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void change.run();
  };
  return (
    <Modal opened onClose={onClose} title={`Change the role of ${name}`} closeOnClickOutside={!change.busy} closeOnEscape={!change.busy}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <RoleChoice role={role} onRole={setRole} fault={faultOf(change.error, 'role')} />
          <Text c="dimmed">It holds at once, for its sessions and API tokens too. The credentials it owns go on as they are.</Text>
          {own && role !== was && <Text>This is your own account: this page will be closed to you.</Text>}
          {change.error && explainRefusal(name, 'The role was not changed')(change.error)}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={change.busy}>Cancel</Button>
            <Button type="submit" loading={change.busy} disabled={role === was}>Change role</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
