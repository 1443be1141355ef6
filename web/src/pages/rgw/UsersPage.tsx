import { Button, Group, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { type Project, projectsQuery } from '../../api/projects';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { useAccount, useIsAdmin } from '../../api/session';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { ErrorNotice } from '../../components/ErrorNotice';
import { IconPlus } from '../../components/icons';
import { MonoId } from '../../components/MonoId';
import { PageHeader } from '../../components/PageHeader';
import { RelativeTime } from '../../components/RelativeTime';
import { SearchBox } from '../../components/SearchBox';
import { StatusBadge } from '../../components/StatusBadge';
import { usePaged } from '../../components/usePaged';
import { middle } from '../../lib/text';
import { AdoptUser } from './AdoptUser';
import { CreateUser } from './CreateUser';
import { quotaText, statusOf } from './words';

const route = getRouteApi('/rgw/users/list');

const columns: Column<RGWUser>[] = [
  {
    id: 'name', header: 'Name', bare: true, long: true,
    cell: ({ id, name }) => <Link to="/rgw/users/$user" params={{ user: id }} search={({ q, project }) => ({ q, project })} title={name}>{middle(name, 40)}</Link>,
  },
  { id: 'key', header: 'Access key', cell: ({ access_key_id }) => <MonoId value={access_key_id} what="access key id" /> },
  { id: 'status', header: 'Status', cell: (user) => <Status user={user} /> },
  { id: 'backend', header: 'Backend', cell: ({ backend_id }) => backend_id },
  { id: 'quota', header: 'Quota', align: 'end', cell: ({ quota }) => quotaText(quota) },
  { id: 'renewed', header: 'Key renewed', cell: ({ key_renewed_at }) => <RelativeTime value={key_renewed_at} /> },
];

function Status({ user }: { user: RGWUser }) {
  return <><StatusBadge {...statusOf(user)} />{user.locked && <> <StatusBadge status="locked" tone="quiet" /></>}</>;
}

/** S3 identities that own buckets, by project. */
export function UsersPage() {
  const projects = useQuery(projectsQuery);
  const isAdmin = useIsAdmin();
  const { project: asked } = route.useSearch();
  // Who is no admin looks at one project at a time.
  const project = asked ?? (isAdmin ? undefined : projects.data?.[0]?.id);
  return (
    <>
      <PageHeader title="RGW users">S3 identities that own their buckets. Each lives in a project and has one key, whose id stays for life.</PageHeader>
      {projects.error && !projects.data && <ErrorNotice title="The projects could not be read" error={projects.error} onRetry={() => void projects.refetch()} />}
      {projects.data?.length === 0 && (isAdmin
        ? <Empty action={<Button component={Link} to="/projects">Show projects</Button>} command="keystile project create 'Data platform'">RGW users live in projects, and there is none yet.</Empty>
        : <Empty>You are in no project. An administrator makes one, and its owners add members.</Empty>)}
      {projects.data && projects.data.length > 0 && <Users key={project ?? ''} project={project} projects={projects.data} />}
      <Outlet />
    </>
  );
}

function Users({ project, projects }: { project: string | undefined; projects: readonly Project[] }) {
  const { q } = route.useSearch();
  const navigate = useNavigate();
  const isAdmin = useIsAdmin();
  const { role } = useAccount();
  const { user: active } = useParams({ strict: false });
  const [adding, setAdding] = useState<'create' | 'adopt'>();
  const close = () => setAdding(undefined);
  const cephs = useQuery({ ...backendsQuery, enabled: isAdmin }).data?.filter(({ kind }) => kind === 'ceph-rgw').map(({ id }) => id) ?? [];
  const { rows, error, onRetry, more } = usePaged([...rgwKey, 'list', project, q], async (cursor, signal) => {
    const query = { ...(project ? { project_id: project } : {}), ...(q ? { name: q } : {}), ...(cursor ? { cursor } : {}) };
    return (await send(api.GET('/rgw/users', { params: { query }, signal }))).data;
  });
  const writable = projects.filter(({ access }) => access !== 'read' && role !== 'readonly');
  const create = (project ? writable.some(({ id }) => id === project) : writable.length > 0)
    && <Button leftSection={<IconPlus />} onClick={() => setAdding('create')}>Create RGW user</Button>;
  const go = (search: { q?: string | undefined; project?: string | undefined }) => void navigate({ to: '/rgw/users', search, replace: true });
  const names = new Map(projects.map(({ id, name }) => [id, name]));
  const projectColumn: Column<RGWUser> = { id: 'project', header: 'Project', long: true, cell: ({ project_id }) => names.get(project_id) ?? project_id };
  const options = [...(isAdmin ? [{ value: '', label: 'All projects' }] : []), ...projects.map(({ id, name }) => ({ value: id, label: name }))];
  return (
    <>
      <Group justify="space-between" mb="xs" gap="xs">
        <Group gap="xs">
          <SearchBox label="Search by name or key id" value={q} onChange={(next) => go({ project, q: next })} />
          <Select aria-label="Project" data={options} value={project ?? ''} allowDeselect={false} searchable={options.length > 8} onChange={(next) => go({ q, project: next ?? undefined })} />
        </Group>
        <Group gap="xs">
          {cephs.length > 0 && <Button variant="default" onClick={() => setAdding('adopt')}>Adopt RGW user</Button>}
          {create}
        </Group>
      </Group>
      <DataTable
        label="RGW users" columns={project ? columns : [...columns, projectColumn]} rows={rows} rowKey={({ id }) => id} active={active}
        onOpen={({ id }) => void navigate({ to: '/rgw/users/$user', params: { user: id }, search: { q, project } })}
        error={error} onRetry={onRetry} more={more}
        empty={q
          ? <Text>No RGW user matches.</Text>
          : <Empty action={create} command="keystile rgw user create NAME --project PROJECT">{project ? 'This project has no RGW user.' : 'There is no RGW user.'}</Empty>}
      />
      {adding === 'create' && <CreateUser projects={writable} project={project} onClose={close} />}
      {adding === 'adopt' && <AdoptUser cephs={cephs} projects={projects} project={project} onClose={close} />}
    </>
  );
}
