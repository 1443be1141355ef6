import { Button, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useRef } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { faultOf } from '../../components/faults';
import { SecretInput } from '../../components/SecretInput';
import { useAction } from '../../components/useAction';
import { useWebhookFields, WebhookFields } from './WebhookFields';
import { type Webhook, webhooksQuery } from './webhooks';

/** Changes a webhook. A new URL asks for the secret again. */
export function EditWebhook({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
  const fields = useWebhookFields(hook);
  const secret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const moved = fields.url !== hook.url;
  const save = useAction(async () => {
    const { requestId } = await send(api.PATCH('/api/webhooks/{webhook}', {
      params: { path: { webhook: hook.id } },
      body: { ...fields.chosen, ...(moved ? { url: fields.url, signing_secret: secret.current?.value ?? '' } : {}) },
    }));
    await queryClient.invalidateQueries(webhooksQuery);
    onClose();
    tellDone('Webhook changed.', requestId);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save.run();
  };
  return (
    <Dialog title="Edit webhook" busy={save.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <WebhookFields typed={fields.typed} error={save.error} failed="The webhook was not changed">
            {moved && <SecretInput field={secret} label="Secret" description="A new URL needs the one that was shown when the webhook was added" required error={faultOf(save.error, 'signing_secret')} />}
          </WebhookFields>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={save.busy} disabled={!fields.ready}>Save changes</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
