import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
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
import { RoleChoice } from './RoleChoice';
import type { Role } from './words';

/** Makes an account; a random password is shown, this once. It lives in this state alone. */
export function CreateAccount({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<{ name: string; password: string }>();
  if (made) {
    return (
      <ShowOnce title="Save this password now" what="password" value={made.password} onClose={onClose}>
        <Text>Account <b>{made.name}</b> signs in with it. Hand it over by a way that nobody else reads.</Text>
      </ShowOnce>
    );
  }
  return <CreateForm onPassword={(name, password) => setMade({ name, password })} onClose={onClose} />;
}

function CreateForm({ onPassword, onClose }: { onPassword: (name: string, password: string) => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('user');
  const [random, setRandom] = useState(true);
  const password = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const create = useAction(async () => {
    const given = random ? {} : { password: password.current?.value ?? '' };
    const { data, requestId } = await send(api.POST('/api/accounts', { body: { name, role, ...given } }));
    void queryClient.invalidateQueries(accountsQuery);
    tellDone(`Account ${name} created.`, requestId);
    if (data.password) {
      onPassword(name, data.password);
    } else {
      onClose();
    }
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  return (
    <Modal opened onClose={onClose} title="Create account" closeOnClickOutside={false} closeOnEscape={!create.busy}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name" description="Lower-case letters, digits and . _ - @" placeholder="alice" required data-autofocus autoComplete="off" autoCapitalize="none" spellCheck={false}
            value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(create.error, 'name')}
          />
          <RoleChoice role={role} onRole={setRole} fault={faultOf(create.error, 'role')} />
          <PasswordChoice random={random} onRandom={setRandom} field={password} fault={faultOf(create.error, 'password')} />
          {create.error && <ErrorNotice title="The account was not created" error={create.error} shown={(field) => ['name', 'role', 'password'].includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={create.busy}>Cancel</Button>
            <Button type="submit" loading={create.busy}>Create account</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
