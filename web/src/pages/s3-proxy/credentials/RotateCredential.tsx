import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../../api/client';
import { Dialog } from '../../../components/Dialog';
import { tellDone } from '../../../components/done';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { faultOf } from '../../../components/faults';
import { useAction } from '../../../components/useAction';
import { type Credential, type CredentialWithSecret, refreshCredentials } from './actions';
import { LastUse } from './LastUse';
import { SecretOnce } from './SecretOnce';

interface RotateCredentialProps {
  credential: Credential;
  onClose: () => void;
}

const overlaps = [
  { value: '', label: 'Stops at once' },
  { value: '1h', label: 'Works for 1 hour more' },
  { value: '24h', label: 'Works for 24 hours more' },
  { value: '7d', label: 'Works for 7 days more' },
];

/** Gives a key a new secret and shows that, this once. */
export function RotateCredential({ credential, onClose }: RotateCredentialProps) {
  const queryClient = useQueryClient();
  const [overlap, setOverlap] = useState('');
  const [rotated, setRotated] = useState<{ credential: CredentialWithSecret; requestId: string }>();
  const rotate = useAction(async () => {
    const { data, requestId } = await send(api.POST('/api/credentials/{access_key_id}/rotate', {
      params: { path: { access_key_id: credential.access_key_id } },
      body: overlap ? { overlap } : {},
    }));
    setRotated({ credential: data, requestId });
    void refreshCredentials(queryClient);
  });
  if (rotated) {
    const close = () => {
      setRotated(undefined);
      onClose();
      tellDone(`Key ${credential.access_key_id} rotated.`, rotated.requestId);
    };
    return <SecretOnce title="New secret" credential={rotated.credential} onClose={close} />;
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void rotate.run();
  };
  return (
    <Dialog title={`Rotate ${credential.access_key_id}?`} busy={rotate.busy} light onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>
            <b>{credential.description}</b> keeps its access key id and gets a new secret. <LastUse credential={credential} />
          </Text>
          <Select label="The current secret" data={overlaps} value={overlap} allowDeselect={false} onChange={(next) => setOverlap(next ?? '')} error={faultOf(rotate.error, 'overlap')} />
          {overlap === '' && <Text>Programs that use the current secret are refused until they have the new one.</Text>}
          {rotate.error && <ErrorNotice title="The key was not rotated" error={rotate.error} shown={(field) => field === 'overlap'} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={rotate.busy}>Cancel</Button>
            <Button type="submit" loading={rotate.busy}>Rotate key</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
