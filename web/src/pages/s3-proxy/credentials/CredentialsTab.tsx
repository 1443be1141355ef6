import { Box, Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import { accountsQuery } from '../../../api/accounts';
import { api, send } from '../../../api/client';
import { useAccount } from '../../../api/session';
import { type Column, DataTable } from '../../../components/DataTable';
import { Empty } from '../../../components/Empty';
import { FilterBar } from '../../../components/FilterBar';
import { IconPlus } from '../../../components/icons';
import { MonoId } from '../../../components/MonoId';
import { RelativeTime } from '../../../components/RelativeTime';
import { SearchBox } from '../../../components/SearchBox';
import { StatusBadge } from '../../../components/StatusBadge';
import { usePaged } from '../../../components/usePaged';
import { type Credential, statusTones } from './actions';
import { BulkBar } from './BulkBar';
import { CreateCredential } from './CreateCredential';
import { KeyDialog } from './KeyDialog';
import { QuotaCell } from './QuotaCell';
import { ScopeSummary } from './ScopeText';

const route = getRouteApi('/admin/s3-proxy');

const columns: Column<Credential>[] = [
  {
    id: 'description', header: 'Description', bare: true, long: true, width: '20%', cell: (credential) => (
      <Link to="/admin/s3-proxy/credentials/$accessKeyId" params={{ accessKeyId: credential.access_key_id }} search={(search) => search}>
        {credential.description}
      </Link>
    ),
  },
  { id: 'key', header: 'Access key', cell: (credential) => <MonoId value={credential.access_key_id} what="access key id" /> },
  { id: 'status', header: 'Status', cell: (credential) => <StatusBadge status={credential.status} tone={statusTones[credential.status]} /> },
  { id: 'scope', header: 'May', long: true, width: '22%', cell: (credential) => <Box miw={100}><ScopeSummary grants={credential.grants} /></Box> },
  { id: 'quota', header: 'Quota', long: true, cell: (credential) => <QuotaCell credential={credential} /> },
  { id: 'used', header: 'Last used', cell: (credential) => <RelativeTime value={credential.last_used_at} absent="never" /> },
  { id: 'expires', header: 'Expires', cell: (credential) => <RelativeTime value={credential.expires_at} absent="never" /> },
];

const ownerColumn: Column<Credential> = { id: 'owner', header: 'Owner', cell: (credential) => credential.owner };

/** Revoking is one click away from wherever a key is shown. */
function revokeColumn(onRevoke: (credential: Credential) => void): Column<Credential> {
  return {
    id: 'revoke', header: 'Actions', actions: true, cell: (credential) => credential.status !== 'revoked' && (
      <Button size="compact-xs" variant="subtle" color="danger" onClick={() => onRevoke(credential)} aria-label={`Revoke key ${credential.access_key_id}`}>
        Revoke key
      </Button>
    ),
  };
}

const command = 'keystile credential create --description backup --grant BACKEND/BUCKET:read,list --expires-in 30d';

/** The list of keys, with what is done to several of them at once. */
export function CredentialsTab() {
  const { role } = useAccount();
  const admin = role === 'admin';
  const search = route.useSearch();
  const navigate = useNavigate();
  const active = useParams({ strict: false, select: (params) => params.accessKeyId });
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<Credential>();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const { rows, error, onRetry, more } = usePaged(['credentials', 'list', search], async (cursor, signal) =>
    (await send(api.GET('/api/credentials', { params: { query: { ...search, ...(cursor ? { cursor } : {}) } }, signal }))).data);

  const patch = (change: { q?: string | undefined; owner?: string | undefined }) =>
    void navigate({ to: '/admin/s3-proxy', search: { ...search, ...change }, replace: true });
  const open = (credential: Credential) =>
    void navigate({ to: '/admin/s3-proxy/credentials/$accessKeyId', params: { accessKeyId: credential.access_key_id }, search });

  const chosen = rows?.filter((credential) => selected.has(credential.access_key_id) && credential.status !== 'revoked') ?? [];
  const create = admin && <Button leftSection={<IconPlus />} onClick={() => setCreating(true)}>Create credential</Button>;
  const narrowed = search.q !== undefined || search.owner !== undefined;
  return (
    <>
      <Group justify="space-between" mb="xs" gap="xs">
        <Group gap="xs">
          <SearchBox label="Search by key id or description" value={search.q} onChange={(q) => patch({ q })} />
          {admin && <OwnerFilter owner={search.owner} onChange={(owner) => patch({ owner })} />}
        </Group>
        {create}
      </Group>
      {chosen.length > 0 && <BulkBar credentials={chosen} onDone={() => setSelected(new Set())} />}
      <DataTable
        label="Credentials"
        columns={[...columns, ...(admin ? [ownerColumn] : []), ...(role === 'readonly' ? [] : [revokeColumn(setRevoking)])]}
        rows={rows}
        rowKey={(credential) => credential.access_key_id}
        error={error}
        onRetry={onRetry}
        onOpen={open}
        active={active}
        more={more}
        selection={role === 'readonly' ? undefined : {
          keys: selected, onChange: setSelected, selectable: (credential) => credential.status !== 'revoked',
        }}
        empty={narrowed
          ? <Text>No credential matches. <Link to="/admin/s3-proxy">Show all credentials</Link></Text>
          : <Nothing admin={admin} create={create} />}
      />
      {creating && <CreateCredential onClose={() => setCreating(false)} />}
      {revoking && <KeyDialog dialog="revoke" credential={revoking} onClose={() => setRevoking(undefined)} />}
      <Outlet />
    </>
  );
}

function Nothing({ admin, create }: { admin: boolean; create: ReactNode }) {
  if (!admin) {
    return <Text>You own no credential yet; an administrator makes them.</Text>;
  }
  return <Empty action={create} command={command}>No key has been handed out yet: a credential opens some buckets to one program.</Empty>;
}

function OwnerFilter({ owner, onChange }: { owner: string | undefined; onChange: (owner: string | undefined) => void }) {
  const accounts = useQuery(accountsQuery).data ?? [];
  const options = accounts.map(({ name }) => ({ value: name, label: name }));
  return <FilterBar filters={[{ name: 'owner', label: 'Owner', options }]} values={owner ? { owner } : {}} onChange={({ owner: next }) => onChange(next)} />;
}
