import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { type Backend, backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { countOf, UsedBy, useUses } from './UsedBy';

/** Asks before a backend is forgotten, and says what keeps it. */
export function RemoveBackend({ backend, onClose }: { backend: Backend; onClose: () => void }) {
  const uses = useUses(backend.id);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = useAction(async () => {
    try {
      const { requestId } = await send(api.DELETE('/api/backends/{backend}', { params: { path: { backend: backend.id } } }));
      await navigate({ to: '/admin/backends' });
      tellDone(`Backend ${backend.id} removed.`, requestId);
      void queryClient.invalidateQueries(backendsQuery);
    } catch (refused) {
      void uses.refetch();
      throw refused;
    }
  });
  const used = countOf(uses.data) > 0;
  return (
    <Modal opened onClose={onClose} title={`Remove backend ${backend.id}?`} closeOnClickOutside={!remove.busy} closeOnEscape={!remove.busy}>
      <Stack gap="md">
        <Text>The gateway forgets its endpoint and key. The storage, its buckets and their objects stay as they are.</Text>
        <UsedBy uses={uses} what="it" />
        {used && <Text>It can be removed once they are revoked or their scope no longer has it, and bindings are removed.</Text>}
        {remove.error && <ErrorNotice title="The backend was not removed" error={remove.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={remove.busy} data-autofocus>{used ? 'Close' : 'Cancel'}</Button>
          {!used && <Button color="danger" loading={remove.busy} onClick={() => void remove.run()}>Remove backend</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}
