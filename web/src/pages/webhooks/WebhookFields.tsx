import { Checkbox, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import type { ApiError } from '../../api/client';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { type Webhook, type WebhookEvent, webhookEvents } from './webhooks';

/** What people choose of a webhook, while they do. */
export function useWebhookFields(hook?: Webhook) {
  const [url, setURL] = useState(hook?.url ?? '');
  const [description, setDescription] = useState(hook?.description ?? '');
  const [events, setEvents] = useState<string[]>(hook && hook.events.length > 0 ? hook.events : webhookEvents.map(({ value }) => value));
  return {
    url: url.trim(), ready: events.length > 0,
    /** As the API takes it. All events are none: what there will be one day too. */
    chosen: { description: description.trim(), events: events.length === webhookEvents.length ? [] : events as WebhookEvent[] },
    typed: { url, setURL, description, setDescription, events, setEvents },
  };
}

interface WebhookFieldsProps {
  typed: ReturnType<typeof useWebhookFields>['typed'];
  error: ApiError | undefined;
  /** What failed, if something did. */
  failed: string;
  /** Stands below the URL. */
  children?: ReactNode;
  hints?: { description: string; placeholder: string };
}

const shown = ['url', 'signing_secret', 'description', 'events'];

/** The fields of a webhook's forms. */
export function WebhookFields({ typed, error, failed, children, hints }: WebhookFieldsProps) {
  return (
    <>
      <TextInput
        label="URL" {...hints} required data-autofocus type="url" autoComplete="off"
        value={typed.url} onChange={(event) => typed.setURL(event.currentTarget.value)} error={faultOf(error, 'url')}
      />
      {children}
      <Checkbox.Group label="Called when" value={typed.events} onChange={typed.setEvents} error={typed.events.length === 0 ? 'Choose at least one' : faultOf(error, 'events')}>
        <Stack gap="xs" mt="xs">{webhookEvents.map(({ value, label }) => <Checkbox key={value} value={value} label={label} />)}</Stack>
      </Checkbox.Group>
      <TextInput label="What for" value={typed.description} onChange={(event) => typed.setDescription(event.currentTarget.value)} error={faultOf(error, 'description')} />
      {error && <ErrorNotice title={failed} error={error} shown={(field) => shown.includes(field)} />}
    </>
  );
}
