import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { type Member, membersQuery, type Project } from '../../api/projects';
import { useAccount } from '../../api/session';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { IconPlus } from '../../components/icons';
import { RelativeTime } from '../../components/RelativeTime';
import { AddMember } from './AddMember';
import { ChangeMember } from './ChangeMember';
import { RemoveMember } from './RemoveMember';
import { lessened, manages, placeLabel } from './words';

const columns: Column<Member>[] = [
  { id: 'account', header: 'Account', bare: true, long: true, width: '30%', cell: ({ account }) => <Name account={account} /> },
  { id: 'role', header: 'Role', cell: (member) => <Place member={member} /> },
  { id: 'added', header: 'Added', cell: ({ added_at }) => <RelativeTime value={added_at} /> },
];

function Name({ account }: { account: string }) {
  const own = useAccount().name === account;
  return <>{account}{own && <Text span inherit c="dimmed"> (you)</Text>}</>;
}

function Place({ member }: { member: Member }) {
  const less = lessened(member);
  return <>{placeLabel(member)}{less && <Text size="xs" c="dimmed">{less}</Text>}</>;
}

type Doing = { what: 'add' } | { what: 'change' | 'remove'; member: Member };

/** Who is in a project, and for its owners the ways to change that. */
export function Members({ project }: { project: Project }) {
  const members = useQuery(membersQuery(project.id));
  const [doing, setDoing] = useState<Doing>();
  const close = () => setDoing(undefined);
  const may = manages(project);
  const action: Column<Member> = {
    id: 'actions', header: 'Actions', actions: true,
    cell: (member) => (
      <Group gap={4} justify="flex-end" wrap="nowrap">
        <Button variant="default" size="compact-xs" aria-label={`Change role of ${member.account}`} onClick={() => setDoing({ what: 'change', member })}>Change role</Button>
        <Button variant="default" size="compact-xs" aria-label={`Remove ${member.account}`} onClick={() => setDoing({ what: 'remove', member })}>Remove</Button>
      </Group>
    ),
  };
  const add = may && <Button variant="default" leftSection={<IconPlus />} onClick={() => setDoing({ what: 'add' })}>Add member</Button>;
  return (
    <Stack gap="xs" component="section" aria-label="Members">
      <Group justify="space-between" gap="xs">
        <Title order={3} size="h5">Members</Title>
        {members.data && members.data.length > 0 && add}
      </Group>
      <DataTable
        label="Members" columns={may ? [...columns, action] : columns} rows={members.data} rowKey={({ account }) => account}
        error={members.error} onRetry={() => void members.refetch()}
        empty={<Empty action={add} command={`keystile project add-member ${project.id} ACCOUNT --role owner`}>Nobody is in this project.</Empty>}
      />
      {doing?.what === 'add' && <AddMember project={project} members={members.data ?? []} onClose={close} />}
      {doing?.what === 'change' && <ChangeMember project={project} member={doing.member} onClose={close} />}
      {doing?.what === 'remove' && <RemoveMember project={project} member={doing.member} onClose={close} />}
    </Stack>
  );
}
