import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';

export type Webhook = Schemas['Webhook'];
export type Delivery = Schemas['Delivery'];

/** What a webhook can be told of. */
export type WebhookEvent = NonNullable<Schemas['NewWebhook']['events']>[number];

export const webhookEvents: { value: WebhookEvent; label: string }[] = [
  { value: 'quota.soft_exceeded', label: 'A bucket goes over a soft cap' },
  { value: 'quota.hard_refused', label: 'A hard cap refuses a write' },
];

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/webhooks', { signal }))).data.items,
});

export const deliveriesQuery = (webhook: string) => queryOptions({
  queryKey: ['webhooks', webhook, 'deliveries'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/webhooks/{webhook}/deliveries', { params: { path: { webhook } }, signal }))).data.items,
});

const tones: Record<Delivery['state'], Tone> = { delivered: 'good', pending: 'warn', failed: 'bad' };

/** How a delivery is shown. */
export function stateOf({ state, last_error: error }: Delivery): { status: string; tone: Tone } {
  return { status: state === 'pending' && error ? 'retrying' : state, tone: tones[state] };
}

/** What a webhook is told of, in few words. */
export function eventsText(events: readonly string[]): string {
  return events.length === 0 ? 'all' : events.join(', ');
}
