import { Button, PasswordInput, Stack } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { useAccount } from '../../api/session';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';

const visibility = { 'aria-label': 'Show password' };

/** Replaces the own password. */
export function PasswordForm() {
  const account = useAccount();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const change = useAction(async () => {
    const body = { current_password: current, new_password: next };
    const { requestId } = await send(api.POST('/api/session/password', { body }));
    setCurrent('');
    setNext('');
    setAgain('');
    tellDone('Password changed. Your other sessions have ended.', requestId);
  });
  const differs = again !== '' && again !== next;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void change.run();
  };
  const nextFault = faultOf(change.error, 'new_password') ?? faultOf(change.error, 'password');
  return (
    <form onSubmit={submit}>
      <Stack gap="sm" maw={360}>
        <input type="hidden" name="username" autoComplete="username" value={account.name} readOnly />
        <PasswordInput
          label="Current password" autoComplete="current-password" required visibilityToggleButtonProps={visibility}
          value={current} onChange={(event) => setCurrent(event.currentTarget.value)} error={faultOf(change.error, 'current_password')}
        />
        <PasswordInput
          label="New password" description="12 to 256 characters" autoComplete="new-password" required visibilityToggleButtonProps={visibility}
          value={next} onChange={(event) => setNext(event.currentTarget.value)} error={nextFault}
        />
        <PasswordInput
          label="New password again" autoComplete="new-password" required visibilityToggleButtonProps={visibility}
          value={again} onChange={(event) => setAgain(event.currentTarget.value)} error={differs && 'Differs from the new password'}
        />
        {change.error && (
          <ErrorNotice title="The password was not changed" error={change.error} shown={(field) => field.endsWith('password')} />
        )}
        <Button type="submit" loading={change.busy} disabled={differs} style={{ alignSelf: 'flex-start' }}>
          Change password
        </Button>
      </Stack>
    </form>
  );
}
