import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, send } from '../../api/client';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { useIsAdmin } from '../../api/session';
import { AuditLink } from '../../components/AuditLink';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { IconWarning } from '../../components/icons';
import { useAction } from '../../components/useAction';
import { KeyOnce } from '../s3-proxy/credentials/SecretOnce';
import { fillingOf } from './filling';

interface RenewKeyProps {
  user: RGWUser;
  onClose: () => void;
}

/** Gives a user's key a new secret and shows that, this once. It lives in this state alone. */
export function RenewKey({ user, onClose }: RenewKeyProps) {
  const queryClient = useQueryClient();
  const [answer, setAnswer] = useState<{ user: RGWUser; requestId: string }>();
  const renew = useAction(async () => {
    const { data, requestId } = await send(api.POST('/rgw/users/{user_id}/renew_key', { params: { path: { user_id: user.id } } }));
    setAnswer({ user: data, requestId });
    void queryClient.invalidateQueries({ queryKey: rgwKey });
  });
  if (!answer) {
    return <Ask user={user} renew={renew} onClose={onClose} />;
  }
  // The API answers a locked user's renewal with success and a mask.
  if (answer.user.locked) {
    return <Refused user={answer.user} requestId={answer.requestId} onClose={onClose} />;
  }
  const close = () => {
    setAnswer(undefined);
    onClose();
    tellDone(`Key of ${user.name} renewed.`, answer.requestId);
  };
  return <KeyOnce title="New secret" filling={fillingOf(answer.user)} replacedBy="renewing the key again" onClose={close} />;
}

function Ask({ user, renew, onClose }: RenewKeyProps & { renew: { run: () => Promise<unknown>; busy: boolean; error: unknown } }) {
  return (
    <Dialog title={`Renew the key of ${user.name}?`} busy={renew.busy} light onClose={onClose}>
      <Stack gap="sm">
        <Text><code>{user.access_key_id}</code> gets a new secret; its id stays.</Text>
        <Text>The secret that it has now stops at once: every program that uses it is refused until it has the new one. Its buckets and objects stay.</Text>
        {renew.error !== undefined && <ErrorNotice title="The key was not renewed" error={renew.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={renew.busy} data-autofocus>Cancel</Button>
          <Button color="danger" loading={renew.busy} onClick={() => void renew.run()}>Renew key</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Refused({ user, requestId, onClose }: RenewKeyProps & { requestId: string }) {
  const isAdmin = useIsAdmin();
  return (
    <Dialog title="The key was not renewed" light onClose={onClose}>
      <Stack gap="sm">
        <Alert color="danger" variant="outline" icon={<IconWarning />} title={`${user.name} is locked`} role="alert">
          {user.lock_reason ? <>Because: {user.lock_reason}. </> : ''}Nothing was changed: the secret that it has goes on working.
          {' '}{isAdmin ? 'Unlock it first.' : 'An administrator can unlock it.'}
        </Alert>
        <Group justify="space-between" gap="xs">
          <AuditLink requestId={requestId}>Show in audit</AuditLink>
          <Button variant="default" onClick={onClose} data-autofocus>Close</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
