import { Button, Group, Stack, Text } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import type { Member, Project } from '../../api/projects';
import { useAccount } from '../../api/session';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { uncapital } from '../../lib/text';
import { PlaceChoice } from './PlaceChoice';
import { useChanged } from './useChanged';
import { placeOf, places } from './words';

interface ChangeMemberProps {
  project: Project;
  member: Member;
  onClose: () => void;
}

/** Gives a member another role. */
export function ChangeMember({ project, member, onClose }: ChangeMemberProps) {
  const was = placeOf(member);
  const [place, setPlace] = useState(was);
  const own = useAccount().name === member.account;
  const changed = useChanged();
  const change = useAction(async () => {
    const chosen = places.find(({ value }) => value === place);
    const { requestId } = await send(api.PATCH('/api/projects/{id}/members/{account}', {
      params: { path: { id: project.id, account: member.account } }, body: chosen ? { role: chosen.role, permissions: chosen.permissions } : {},
    }));
    onClose();
    tellDone(`${member.account} is now ${uncapital(chosen?.label ?? place)} of ${project.name}.`, requestId);
    await changed();
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void change.run();
  };
  return (
    <Dialog title={`Change the role of ${member.account}`} busy={change.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <PlaceChoice place={place} onPlace={setPlace} fault={faultOf(change.error, 'role')} />
          <Text c="dimmed">It holds at once, for sessions and API tokens too.</Text>
          {own && was === 'owner' && place !== was && <Text>This is you: another owner will have to undo it.</Text>}
          {change.error && <ErrorNotice title="The role was not changed" error={change.error} shown={(field) => field === 'role'} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={change.busy}>Cancel</Button>
            <Button type="submit" loading={change.busy} disabled={place === was}>Change role</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
