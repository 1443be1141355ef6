import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { MonoId } from '../../components/MonoId';
import { StatusBadge } from '../../components/StatusBadge';
import { credentialQuery, statusTones } from '../s3-proxy/credentials/actions';
import { credentialOf, type Event } from './events';

interface AccessKeyProps {
  event: Event;
  onRevoke: () => void;
}

/** The access key of an event; if there is such a credential, with its status and the way to it. */
export function AccessKey({ event, onRevoke }: AccessKeyProps) {
  const id = event.detail.access_key_id ?? '';
  const named = credentialOf(event);
  const { data: credential } = useQuery({ ...credentialQuery(named ?? ''), enabled: named !== undefined });
  return (
    <Group gap="xs">
      <MonoId value={id} what="access key" max={40} />
      {credential && (
        <>
          <StatusBadge status={credential.status} tone={statusTones[credential.status]} />
          <Link to="/admin/s3-proxy/credentials/$accessKeyId" params={{ accessKeyId: credential.access_key_id }}>Open credential</Link>
          {credential.status !== 'revoked' && <Button size="compact-xs" color="danger" variant="outline" onClick={onRevoke}>Revoke key</Button>}
        </>
      )}
    </Group>
  );
}
