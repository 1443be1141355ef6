import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useRef, useState } from 'react';

import { accountsQuery } from '../../api/accounts';
import { api, send } from '../../api/client';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { ShowOnce } from '../../components/ShowOnce';
import { useAction } from '../../components/useAction';
import { PasswordChoice } from './PasswordChoice';
import { heldKey } from './held';

/** Replaces an account's password; a random one is shown, this once. It lives in this state alone. */
export function ResetPassword({ name, onClose }: { name: string; onClose: () => void }) {
  const [made, setMade] = useState<string>();
  if (made !== undefined) {
    return (
      <ShowOnce title="Save this password now" what="password" value={made} onClose={onClose}>
        <Text>Account <b>{name}</b> signs in with it from now on. Hand it over by a way that nobody else reads.</Text>
      </ShowOnce>
    );
  }
  return <ResetForm name={name} onPassword={setMade} onClose={onClose} />;
}

function ResetForm({ name, onPassword, onClose }: { name: string; onPassword: (password: string) => void; onClose: () => void }) {
  const [random, setRandom] = useState(true);
  const password = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const reset = useAction(async () => {
    const body = random ? {} : { password: password.current?.value ?? '' };
    const { data, requestId } = await send(api.POST('/api/accounts/{name}/password', { params: { path: { name } }, body }));
    void queryClient.invalidateQueries(accountsQuery);
    void queryClient.invalidateQueries({ queryKey: heldKey(name) });
    tellDone(`Password of ${name} reset. Its sessions have ended.`, requestId);
    if (data.password) {
      onPassword(data.password);
    } else {
      onClose();
    }
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void reset.run();
  };
  return (
    <Modal opened onClose={onClose} title={`Reset the password of ${name}?`} closeOnClickOutside={!reset.busy} closeOnEscape={!reset.busy}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>The old password stops, and all sessions of the account end. Its API tokens and the credentials it owns go on.</Text>
          <PasswordChoice random={random} onRandom={setRandom} field={password} fault={faultOf(reset.error, 'password')} />
          {reset.error && <ErrorNotice title="The password was not reset" error={reset.error} shown={(field) => field === 'password'} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={reset.busy}>Cancel</Button>
            <Button type="submit" loading={reset.busy}>Reset password</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
