import { Alert, Button, Group, List, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { projectsQuery } from '../../api/projects';
import type { RGWUser } from '../../api/rgw';
import { useIsAdmin } from '../../api/session';
import { CopyButton } from '../../components/CopyButton';
import { Facts } from '../../components/Facts';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { snippets } from '../../snippets';
import { Snippets } from '../s3-proxy/credentials/Snippets';
import { DeleteUser } from './DeleteUser';
import { fillingOf } from './filling';
import { ForgetUser } from './ForgetUser';
import { JobProgress } from './JobProgress';
import { LockUser, UnlockUser } from './LockUser';
import { QuotaBar } from './QuotaBar';
import { RenameUser } from './RenameUser';
import { RenewKey } from './RenewKey';
import { SetQuota } from './SetQuota';
import { StatusChange } from './StatusChange';
import { driftWords, statusOf } from './words';

interface AboutUserProps {
  user: RGWUser;
  /** Whether one may change it. */
  writes: boolean;
}

/** What a user is, its key and its quota, with what can be done to it. */
export function AboutUser({ user, writes }: AboutUserProps) {
  const project = useQuery(projectsQuery).data?.find(({ id }) => id === user.project_id);
  return (
    <Stack gap="md">
      {user.job && <JobProgress job={user.job} name={user.name} />}
      {user.locked && (
        <Alert variant="outline" color="gray" title="It is locked">
          {user.lock_reason ? <>Because: {user.lock_reason}. </> : ''}Its key goes on working, but is not renewed, and the user is not deleted, until an administrator unlocks it.
        </Alert>
      )}
      {user.drift && user.drift.length > 0 && (
        <Alert variant="outline" color="warn" title="Somebody changed it at the Ceph">
          <List size="sm">{user.drift.map((what) => <List.Item key={what}>{driftWords[what]}</List.Item>)}</List>
        </Alert>
      )}
      <Facts
        items={[
          ['Status', <StatusBadge key="status" {...statusOf(user)} />],
          ['Project', <Link key="project" to="/projects/$project" params={{ project: user.project_id }}>{project?.name ?? user.project_id}</Link>],
          ['Access key id', <MonoId key="key" value={user.access_key_id} what="access key id" max={40} />],
          ['Secret access key', <Secret key="secret" user={user} />],
          ['Endpoint', <span key="endpoint"><code>{user.endpoint}</code> <CopyButton text={user.endpoint} what="endpoint" /></span>],
          ['Region', user.region],
          ['Backend', user.backend_id],
          ['Uid at the Ceph', user.uid && <MonoId value={user.uid} what="uid" max={44} />],
          ['Adopted', user.adopted ? 'It was there before it was managed here' : undefined],
          ['Created', <RelativeTime key="created" value={user.created_at} />],
        ]}
      />
      {user.state === 'live' && <QuotaBar user={user} />}
      <Change user={user} writes={writes} />
      {user.state === 'live' && user.status === 'active' && <UseIt user={user} />}
    </Stack>
  );
}

function Secret({ user }: { user: RGWUser }) {
  return (
    <>
      <code>{user.secret_key}</code>
      <Text inherit c="dimmed">Shown once, when it was made <RelativeTime value={user.key_renewed_at} />. A lost one is renewed.</Text>
    </>
  );
}

type Doing = 'renew' | 'rename' | 'quota' | 'lock' | 'unlock' | 'status' | 'forget' | 'delete';

function Change({ user, writes }: AboutUserProps) {
  const [doing, setDoing] = useState<Doing>();
  const isAdmin = useIsAdmin();
  const close = () => setDoing(undefined);
  if (!writes) {
    return null;
  }
  const disabled = user.status === 'disabled';
  return (
    <Group gap="xs">
      {!disabled && <Button variant="default" onClick={() => setDoing('renew')}>Renew key</Button>}
      <Button variant="default" onClick={() => setDoing('rename')}>Rename</Button>
      {isAdmin && <Button variant="default" onClick={() => setDoing('quota')}>Set quota</Button>}
      {isAdmin && (user.locked
        ? <Button variant="default" onClick={() => setDoing('unlock')}>Unlock user</Button>
        : <Button variant="default" onClick={() => setDoing('lock')}>Lock user</Button>)}
      {isAdmin && <Button variant="default" onClick={() => setDoing('status')}>{disabled ? 'Enable user' : 'Disable user'}</Button>}
      {isAdmin && user.uid && <Button variant="default" onClick={() => setDoing('forget')}>Forget user</Button>}
      <Button color="danger" onClick={() => setDoing('delete')}>Delete user</Button>
      {doing === 'renew' && <RenewKey user={user} onClose={close} />}
      {doing === 'rename' && <RenameUser user={user} onClose={close} />}
      {doing === 'quota' && <SetQuota user={user} onClose={close} />}
      {doing === 'lock' && <LockUser user={user} onClose={close} />}
      {doing === 'unlock' && <UnlockUser user={user} onClose={close} />}
      {doing === 'status' && <StatusChange user={user} onClose={close} />}
      {doing === 'forget' && <ForgetUser user={user} onClose={close} />}
      {doing === 'delete' && <DeleteUser user={user} onClose={close} />}
    </Group>
  );
}

/** Stands where the secret belongs, which nobody can show again. */
const placeholder = 'SECRET_ACCESS_KEY';

function UseIt({ user }: { user: RGWUser }) {
  return (
    <Stack gap="xs" component="section" aria-label="Use it">
      <Title order={3} size="h5">Use it</Title>
      <Text c="dimmed" size="xs">Put the secret in the place of <code>{placeholder}</code>.</Text>
      <Snippets all={snippets({ ...fillingOf(user), secretAccessKey: placeholder })} />
    </Stack>
  );
}
