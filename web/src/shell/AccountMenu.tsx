import { Button, Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { useState } from 'react';

import { api, send } from '../api/client';
import { leave, useAccount } from '../api/session';
import { ConfirmDialog } from '../components/ConfirmDialog';
import { IconDown, IconPerson } from '../components/icons';
import { openShortcutHelp } from './ShortcutHelp';

/** What concerns the signed-in account itself. */
export function AccountMenu() {
  const account = useAccount();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'here' | 'everywhere'>();
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="subtle" color="gray" px={6} rightSection={<IconDown />} leftSection={<IconPerson />} aria-label={`Account ${account.name}`}>
            <span className="mantine-visible-from-sm">{account.name}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {account.name} · {account.role}
          </Menu.Label>
          <Menu.Item onClick={() => void navigate({ to: '/admin/profile', search: {} })}>Change password</Menu.Item>
          <Menu.Item onClick={() => void navigate({ to: '/admin/profile', search: { tab: 'sessions' } })}>Own sessions</Menu.Item>
          <Menu.Item onClick={() => void navigate({ to: '/admin/profile', search: { tab: 'tokens' } })}>API tokens</Menu.Item>
          <Menu.Divider />
          <Menu.Item component="a" href="/api/docs" target="_blank">API reference</Menu.Item>
          <Menu.Item onClick={openShortcutHelp}>Keyboard shortcuts</Menu.Item>
          <Menu.Divider />
          <Menu.Item onClick={() => setAsking('here')}>Sign out here</Menu.Item>
          <Menu.Item onClick={() => setAsking('everywhere')}>Sign out everywhere</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking && <SignOut where={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

function SignOut({ where, onClose }: { where: 'here' | 'everywhere'; onClose: () => void }) {
  const queryClient = useQueryClient();
  const router = useRouter();
  const account = useAccount();
  const signOut = async () => {
    await send(where === 'here' ? api.DELETE('/api/session') : api.DELETE('/api/sessions'));
    await leave(queryClient, router);
  };
  return (
    <ConfirmDialog title={`Sign out ${account.name} ${where}?`} confirm={`Sign out ${where}`} action={signOut} onClose={onClose}>
      {where === 'here' ? 'Other browsers stay signed in.' : 'Ends every session of the account, in all browsers. API tokens stay.'}
    </ConfirmDialog>
  );
}
