import { Button, Checkbox, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { ShowOnce } from '../../components/ShowOnce';
import { useAction } from '../../components/useAction';
import { type WebhookEvent, webhookEvents, webhooksQuery } from './webhooks';

/** Adds a webhook and shows its secret, this once. The value lives in this state alone. */
export function AddWebhook({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<{ id: string; secret: string }>();
  const navigate = useNavigate();
  if (made) {
    const leave = () => {
      onClose();
      void navigate({ to: '/admin/webhooks/$webhook', params: { webhook: made.id } });
    };
    return <ShowOnce title="Save this secret now" what="secret" value={made.secret} onClose={leave}>The receiver checks with it that calls are from here.</ShowOnce>;
  }
  return <WebhookForm onMade={(id, secret) => setMade({ id, secret })} onClose={onClose} />;
}

const shown = ['url', 'description', 'events'];

function WebhookForm({ onMade, onClose }: { onMade: (id: string, secret: string) => void; onClose: () => void }) {
  const [url, setURL] = useState('');
  const [description, setDescription] = useState('');
  const [events, setEvents] = useState<string[]>(webhookEvents.map(({ value }) => value));
  const queryClient = useQueryClient();
  const add = useAction(async () => {
    const chosen = events.length === webhookEvents.length ? [] : events as WebhookEvent[];
    const { data } = await send(api.POST('/api/webhooks', { body: { url: url.trim(), description: description.trim(), events: chosen } }));
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
          <TextInput
            label="URL" description="Called with POST; redirects are not followed" placeholder="https://alerts.example.com/keystile" required data-autofocus type="url"
            autoComplete="off" value={url} onChange={(event) => setURL(event.currentTarget.value)} error={faultOf(add.error, 'url')}
          />
          <Checkbox.Group label="Called when" value={events} onChange={setEvents} error={events.length === 0 ? 'Choose at least one' : faultOf(add.error, 'events')}>
            <Stack gap="xs" mt="xs">{webhookEvents.map(({ value, label }) => <Checkbox key={value} value={value} label={label} />)}</Stack>
          </Checkbox.Group>
          <TextInput label="What for" value={description} onChange={(event) => setDescription(event.currentTarget.value)} error={faultOf(add.error, 'description')} />
          {add.error && <ErrorNotice title="The webhook was not added" error={add.error} shown={(field) => shown.includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={add.busy} disabled={events.length === 0}>Add webhook</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
