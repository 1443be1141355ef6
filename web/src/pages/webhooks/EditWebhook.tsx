import { Button, Checkbox, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useRef, useState } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { SecretInput } from '../../components/SecretInput';
import { useAction } from '../../components/useAction';
import { type Webhook, type WebhookEvent, webhookEvents, webhooksQuery } from './webhooks';

const shown = ['url', 'signing_secret', 'description', 'events'];

/** Changes a webhook. A new URL asks for the secret again. */
export function EditWebhook({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
  const [url, setURL] = useState(hook.url);
  const [description, setDescription] = useState(hook.description ?? '');
  const [events, setEvents] = useState<string[]>(hook.events.length > 0 ? hook.events : webhookEvents.map(({ value }) => value));
  const secret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const moved = url.trim() !== hook.url;
  const save = useAction(async () => {
    const { requestId } = await send(api.PATCH('/api/webhooks/{webhook}', {
      params: { path: { webhook: hook.id } },
      body: {
        description: description.trim(), events: events.length === webhookEvents.length ? [] : events as WebhookEvent[],
        ...(moved ? { url: url.trim(), signing_secret: secret.current?.value ?? '' } : {}),
      },
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
          <TextInput label="URL" required data-autofocus type="url" autoComplete="off" value={url} onChange={(event) => setURL(event.currentTarget.value)} error={faultOf(save.error, 'url')} />
          {moved && <SecretInput field={secret} label="Secret" description="A new URL needs the one that was shown when the webhook was added" required error={faultOf(save.error, 'signing_secret')} />}
          <Checkbox.Group label="Called when" value={events} onChange={setEvents} error={events.length === 0 ? 'Choose at least one' : faultOf(save.error, 'events')}>
            <Stack gap="xs" mt="xs">{webhookEvents.map(({ value, label }) => <Checkbox key={value} value={value} label={label} />)}</Stack>
          </Checkbox.Group>
          <TextInput label="What for" value={description} onChange={(event) => setDescription(event.currentTarget.value)} error={faultOf(save.error, 'description')} />
          {save.error && <ErrorNotice title="The webhook was not changed" error={save.error} shown={(field) => shown.includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={save.busy} disabled={events.length === 0}>Save changes</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
