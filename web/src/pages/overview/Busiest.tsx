import { Text } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { Bytes } from '../../components/Bytes';
import { CopyButton } from '../../components/CopyButton';
import { type Column, DataTable } from '../../components/DataTable';
import { count } from '../../lib/numbers';
import { RevokeKey } from '../s3-proxy/credentials/RevokeKey';
import classes from './OverviewPage.module.css';

type Busy = Schemas['BusyCredential'];

const columns: Column<Busy>[] = [
  { id: 'key', header: 'Access key', bare: true, cell: ({ access_key_id }) => <Key id={access_key_id} /> },
  { id: 'description', header: 'Description', long: true, cell: ({ description }) => description },
  { id: 'requests', header: 'Requests', align: 'end', cell: ({ requests }) => count(requests) },
  { id: 'errors', header: 'Errors', align: 'end', cell: ({ errors }) => count(errors) },
  { id: 'refusals', header: 'Refused', align: 'end', cell: ({ refusals }) => count(refusals) },
  { id: 'in', header: 'Received', align: 'end', cell: ({ bytes_in }) => <Bytes n={bytes_in} /> },
  { id: 'out', header: 'Sent', align: 'end', cell: ({ bytes_out }) => <Bytes n={bytes_out} /> },
  { id: 'revoke', header: 'Actions', actions: true, cell: ({ access_key_id }) => <RevokeKey accessKeyId={access_key_id} /> },
];

function Key({ id }: { id: string }) {
  return (
    <span className={classes.key}>
      <Link to="/admin/s3-proxy/credentials/$accessKeyId" params={{ accessKeyId: id }} className="mono">{id}</Link>
      <CopyButton text={id} what="access key id" />
    </span>
  );
}

/** The keys with the most requests; each leads to its drawer. */
export function Busiest({ credentials }: { credentials: readonly Busy[] }) {
  const navigate = useNavigate();
  return (
    <DataTable
      label="Busiest credentials" columns={columns} rows={credentials} rowKey={({ access_key_id }) => access_key_id}
      onOpen={({ access_key_id: accessKeyId }) => void navigate({ to: '/admin/s3-proxy/credentials/$accessKeyId', params: { accessKeyId } })}
      empty={<Text>Nobody signed a request with a key of this gateway: all of them were anonymous or refused.</Text>}
    />
  );
}
