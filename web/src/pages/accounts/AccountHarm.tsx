import { Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';

import { api, send } from '../../api/client';
import { useAccount } from '../../api/session';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { tellDone } from '../../components/done';
import { explainRefusal } from './LastAdmin';
import { useOwned } from './owned';
import { useChanged } from './useChanged';
import { credentialCount } from './words';

interface AccountHarmProps {
  name: string;
  onClose: () => void;
}

/** Locks an account out, with all that it holds. */
export function DisableAccount({ name, onClose }: AccountHarmProps) {
  const changed = useChanged(name);
  const owned = useOwned(name).data;
  const disable = async () => {
    const { requestId } = await send(api.PATCH('/api/accounts/{name}', { params: { path: { name } }, body: { disabled: true } }));
    tellDone(`Account ${name} disabled.`, requestId);
    await changed();
  };
  return (
    <ConfirmDialog title={`Disable account ${name}?`} confirm="Disable account" danger action={disable} explain={explainRefusal(name, 'The account was not disabled')} onClose={onClose}>
      <Stack gap="xs">
        <Text>
          It can no longer sign in. Its sessions end, its API tokens are revoked, and the credentials it owns are disabled: their clients are refused at once.
        </Text>
        {owned && <Text>It owns <b>{credentialCount(owned.active, owned.more, 'active credential')}</b>.</Text>}
        <Text>Enabling the account later brings none of them back.</Text>
        <OwnAccount name={name} />
      </Stack>
    </ConfirmDialog>
  );
}

/** Lets an account sign in again. */
export function EnableAccount({ name, onClose }: AccountHarmProps) {
  const changed = useChanged(name);
  const enable = async () => {
    const { requestId } = await send(api.PATCH('/api/accounts/{name}', { params: { path: { name } }, body: { disabled: false } }));
    tellDone(`Account ${name} enabled.`, requestId);
    await changed();
  };
  return (
    <ConfirmDialog title={`Enable account ${name}?`} confirm="Enable account" action={enable} explain={explainRefusal(name, 'The account was not enabled')} onClose={onClose}>
      It can sign in again with its password. This brings back no session and no API token, and the credentials it owns stay disabled until each is enabled.
    </ConfirmDialog>
  );
}

/** Deletes an account, with all that it holds. */
export function DeleteAccount({ name, onClose }: AccountHarmProps) {
  const changed = useChanged(name);
  const navigate = useNavigate();
  const owned = useOwned(name).data;
  const remove = async () => {
    const { requestId } = await send(api.DELETE('/api/accounts/{name}', { params: { path: { name } } }));
    tellDone(`Account ${name} deleted.`, requestId);
    await navigate({ to: '/admin/accounts', search: (was) => was });
    await changed();
  };
  return (
    <ConfirmDialog title={`Delete account ${name}?`} confirm="Delete account" danger action={remove} explain={explainRefusal(name, 'The account was not deleted')} onClose={onClose}>
      <Stack gap="xs">
        <Text>
          Its sessions end and its API tokens go. The credentials it owns are revoked for good: their clients are refused at once.
        </Text>
        {owned && <Text>It owns <b>{credentialCount(owned.live, owned.more, 'live credential')}</b>.{owned.live > 0 && ' Give those that should go on to another owner first.'}</Text>}
        <Text>Credentials that it created for others go on.</Text>
        <OwnAccount name={name} />
      </Stack>
    </ConfirmDialog>
  );
}

function OwnAccount({ name }: { name: string }) {
  return useAccount().name === name && <Text>This is your own account: you will be signed out.</Text>;
}
