import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { type Project, projectsQuery } from '../../api/projects';
import { useIsAdmin } from '../../api/session';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { IconPlus } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { RelativeTime } from '../../components/RelativeTime';
import { SearchBox } from '../../components/SearchBox';
import { middle } from '../../lib/text';
import { CreateProject } from './CreateProject';
import { accessWords, fitting } from './words';

const route = getRouteApi('/projects/list');

const columns: Column<Project>[] = [
  {
    id: 'name', header: 'Name', bare: true, long: true,
    cell: ({ id, name }) => <Link to="/projects/$project" params={{ project: id }} search={(was) => was} title={name}>{middle(name, 40)}</Link>,
  },
  { id: 'owners', header: 'Owners', long: true, cell: ({ owners }) => <Owners names={owners} /> },
  { id: 'members', header: 'Members', align: 'end', cell: ({ members }) => members.toLocaleString('en') },
  { id: 'access', header: 'You may', cell: ({ access }) => accessWords[access] },
  { id: 'created', header: 'Created', cell: ({ created_at }) => <RelativeTime value={created_at} /> },
];

const most = 3;

function Owners({ names }: { names: readonly string[] }) {
  if (names.length === 0) {
    return <Text span inherit c="dimmed">nobody</Text>;
  }
  return <span title={names.join(', ')}>{names.slice(0, most).join(', ')}{names.length > most && ` and ${names.length - most} more`}</span>;
}

/** The projects that one may see. */
export function ProjectsPage() {
  return (
    <>
      <Projects />
      <Outlet />
    </>
  );
}

function Projects() {
  const { q } = route.useSearch();
  const navigate = useNavigate();
  const { project: active } = useParams({ strict: false });
  const isAdmin = useIsAdmin();
  const projects = useQuery(projectsQuery);
  const [creating, setCreating] = useState(false);
  const create = isAdmin && <Button leftSection={<IconPlus />} onClick={() => setCreating(true)}>Create project</Button>;
  const none = isAdmin
    ? <Empty action={create} command="keystile project create 'Data platform' --owner ACCOUNT">There is no project.</Empty>
    : <Empty>You are in no project. An administrator makes one, and its owners add members.</Empty>;
  return (
    <>
      <PageHeader title="Projects">Accounts that work on the same data, with the RGW users and API tokens that belong to it.</PageHeader>
      <Group justify="space-between" mb="xs" gap="xs">
        <SearchBox label="Search by name or owner" value={q} onChange={(next) => void navigate({ to: '/projects', search: next ? { q: next } : {}, replace: true })} />
        {create}
      </Group>
      <DataTable
        label="Projects" columns={columns} rows={projects.data && fitting(projects.data, q)} rowKey={({ id }) => id} active={active}
        onOpen={({ id }) => void navigate({ to: '/projects/$project', params: { project: id }, search: q ? { q } : {} })}
        error={projects.error} onRetry={() => void projects.refetch()}
        empty={q ? <Text>No project matches. <Link to="/projects">Show all projects</Link></Text> : none}
      />
      {creating && <CreateProject onClose={() => setCreating(false)} />}
    </>
  );
}
