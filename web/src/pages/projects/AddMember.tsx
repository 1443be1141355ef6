import { Button, Group, Stack } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import type { Member, Project } from '../../api/projects';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { AccountField } from './AccountField';
import { PlaceChoice } from './PlaceChoice';
import { useChanged } from './useChanged';
import { type Place, places } from './words';

interface AddMemberProps {
  project: Project;
  members: readonly Member[];
  onClose: () => void;
}

/** Makes an account a member. */
export function AddMember({ project, members, onClose }: AddMemberProps) {
  const [account, setAccount] = useState('');
  const [place, setPlace] = useState<Place>('member');
  const changed = useChanged();
  const add = useAction(async () => {
    const chosen = places.find(({ value }) => value === place);
    const { requestId } = await send(api.POST('/api/projects/{id}/members', {
      params: { path: { id: project.id } }, body: { account, role: chosen?.role ?? 'member', permissions: chosen?.permissions ?? [] },
    }));
    onClose();
    tellDone(`${account} added to ${project.name}.`, requestId);
    await changed();
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void add.run();
  };
  return (
    <Dialog title={`Add a member to ${project.name}`} busy={add.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <AccountField
            label="Account" description="The name it signs in with" value={account} onChange={setAccount} fault={faultOf(add.error, 'account')}
            without={new Set(members.map((one) => one.account))} first
          />
          <PlaceChoice place={place} onPlace={setPlace} fault={faultOf(add.error, 'role')} />
          {add.error && <ErrorNotice title="The member was not added" error={add.error} shown={(field) => ['account', 'role'].includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={add.busy}>Cancel</Button>
            <Button type="submit" loading={add.busy}>Add member</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
