import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { accountsQuery } from '../../api/accounts';
import { type Account, useAccount } from '../../api/session';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { type Filter, FilterBar } from '../../components/FilterBar';
import { IconPlus } from '../../components/icons';
import { PageHeader } from '../../components/PageHeader';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { middle } from '../../lib/text';
import { AdminsOnly } from '../../shell/AdminsOnly';
import { CreateAccount } from './CreateAccount';
import { fitting, roles, tones } from './words';

const route = getRouteApi('/admin/accounts');

const columns: Column<Account>[] = [
  { id: 'name', header: 'Name', bare: true, cell: (account) => <Name account={account} /> },
  { id: 'role', header: 'Role', cell: (account) => account.role },
  { id: 'status', header: 'Status', cell: (account) => <StatusBadge status={account.status} tone={tones[account.status]} /> },
  { id: 'created', header: 'Created', cell: (account) => <RelativeTime value={account.created_at} /> },
  { id: 'updated', header: 'Changed', cell: (account) => <RelativeTime value={account.updated_at} /> },
];

const filters: Filter<'name' | 'role' | 'status'>[] = [
  { name: 'name', label: 'Name has' },
  { name: 'role', label: 'Role', options: roles.map(({ value, label }) => ({ value, label })) },
  { name: 'status', label: 'Status', options: [{ value: 'active', label: 'Active' }, { value: 'disabled', label: 'Disabled' }] },
];

function Name({ account: { name } }: { account: Account }) {
  const own = useAccount().name === name;
  return (
    <Group gap={6}>
      <Link to="/admin/accounts/$account" params={{ account: name }} search={(was) => was} title={name}>{middle(name, 40)}</Link>
      {own && <Text span inherit c="dimmed">(you)</Text>}
    </Group>
  );
}

/** People who sign in. */
export function AccountsPage() {
  return (
    <AdminsOnly>
      <Accounts />
      <Outlet />
    </AdminsOnly>
  );
}

function Accounts() {
  const filter = route.useSearch();
  const navigate = useNavigate();
  const { account: active } = useParams({ strict: false });
  const accounts = useQuery(accountsQuery);
  const [creating, setCreating] = useState(false);
  const create = <Button leftSection={<IconPlus />} onClick={() => setCreating(true)}>Create account</Button>;
  return (
    <>
      <PageHeader title="Accounts" actions={create}>Who may sign in here and call the API. S3 clients use credentials instead.</PageHeader>
      <Group mb="sm">
        <FilterBar filters={filters} values={filter} onChange={(patch) => void navigate({ to: '/admin/accounts', search: (was) => ({ ...was, ...patch }) })} />
      </Group>
      <DataTable
        label="Accounts" columns={columns} rows={accounts.data && fitting(accounts.data, filter)} rowKey={(account) => account.name} active={active}
        onOpen={(account) => void navigate({ to: '/admin/accounts/$account', params: { account: account.name }, search: (was) => was })}
        error={accounts.error} onRetry={() => void accounts.refetch()}
        empty={<Empty action={create} command="keystile account create NAME --role user">No account fits these filters.</Empty>}
      />
      {creating && <CreateAccount onClose={() => setCreating(false)} />}
    </>
  );
}
