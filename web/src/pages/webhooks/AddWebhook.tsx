import { Button, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { ShowOnce } from '../../components/ShowOnce';
import { useAction } from '../../components/useAction';
import { useWebhookFields, WebhookFields } from './WebhookFields';
import { webhooksQuery } from './webhooks';

/** Adds a webhook and shows its secret, this once. The value lives in this state alone. */
export function AddWebhook({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<{ id: string; secret: string }>();
  const navigate = useNavigate();
  if (made) {
    const leave = () => {
      onClose();
      // What shows the secret holds the page until it is gone, which is after this.
      void navigate({ to: '/admin/webhooks/$webhook', params: { webhook: made.id }, ignoreBlocker: true });
    };
    return <ShowOnce title="Save this secret now" what="secret" value={made.secret} onClose={leave}>The receiver checks with it that calls are from here.</ShowOnce>;
  }
  return <WebhookForm onMade={(id, secret) => setMade({ id, secret })} onClose={onClose} />;
}

function WebhookForm({ onMade, onClose }: { onMade: (id: string, secret: string) => void; onClose: () => void }) {
  const fields = useWebhookFields();
  const queryClient = useQueryClient();
  const add = useAction(async () => {
    const { data } = await send(api.POST('/api/webhooks', { body: { url: fields.url, ...fields.chosen } }));
    onMade(data.id, data.signing_secret);
    await queryClient.invalidateQueries(webhooksQuery);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void add.run();
  };
  return (
    <Dialog title="Add webhook" busy={add.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <WebhookFields
            typed={fields.typed} error={add.error} failed="The webhook was not added"
            hints={{ description: 'Called with POST; redirects are not followed', placeholder: 'https://alerts.example.com/keystile' }}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={add.busy} disabled={!fields.ready}>Add webhook</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
