import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';
import { type AuditSearch, toQuery } from './filters';

export type Event = Schemas['Event'];

const pageSize = 100;

/** One page of the trail, newest first. */
export async function readEvents(search: AuditSearch, cursor: string | undefined, signal: AbortSignal) {
  const query = { ...toQuery(search, new Date()), limit: pageSize, ...(cursor ? { cursor } : {}) };
  return (await send(api.GET('/api/audit', { params: { query }, signal }))).data;
}

/** One event. While its outcome is open it is read again until it is there. */
export function eventQuery(id: string) {
  return queryOptions({
    queryKey: ['audit', 'event', id],
    queryFn: async ({ signal }) => (await send(api.GET('/api/audit/{id}', { params: { path: { id } }, signal }))).data,
    refetchInterval: (query) => (query.state.data?.in_progress ? 2000 : false),
  });
}

/** How an act ended, as a word and its colour. */
export function outcome(event: Event): { status: string; tone: Tone } {
  if (event.in_progress) {
    return { status: 'in progress', tone: 'quiet' };
  }
  const tones: Record<Event['result'], Tone> = { ok: 'good', denied: 'warn', error: 'bad', unknown: 'warn' };
  return { status: event.result, tone: tones[event.result] };
}

/** Says what a result means where the word alone may not. */
export function explained(event: Event): string {
  if (event.in_progress) {
    return 'It has begun; its outcome is not recorded yet.';
  }
  if (event.result === 'unknown') {
    return 'It had begun, but how it ended was never learnt: the server stopped, or the connection to the backend broke.';
  }
  return '';
}

/** The thing acted on: backend, bucket and key, or what the act names. */
export function place(event: Event): string {
  const parts = [event.backend, event.bucket, event.key].filter((part) => part !== undefined && part !== '');
  return parts.length > 0 ? parts.join('/') : (event.detail.target ?? '');
}

const accessKey = /^AKIA[A-Z0-9]{16}$/;

/** The access key of an event that can have a page: what was claimed may be any text. */
export function credentialOf(event: Event): string | undefined {
  const id = event.detail.access_key_id;
  return id !== undefined && accessKey.test(id) ? id : undefined;
}

/** Whether the access key is what was acted on, as when it was revoked, and not who acted. */
export function actsOnKey({ detail }: Event): boolean {
  return detail.access_key_id !== undefined && detail.target === detail.access_key_id;
}

/** Leads to other events that have something in common with one. */
export function related(event: Event): { of: string; search: AuditSearch }[] {
  const { backend, bucket, key, account, request_id, detail } = event;
  const inBackend = backend ? { backend } : {};
  return [
    ...(request_id ? [{ of: 'request', search: { request_id } }] : []),
    ...(detail.access_key_id ? [{ of: 'access key', search: { access_key_id: detail.access_key_id } }] : []),
    ...(account ? [{ of: 'account', search: { account } }] : []),
    ...(bucket ? [{ of: 'bucket', search: { ...inBackend, bucket } }] : []),
    ...(bucket && key ? [{ of: 'object key', search: { ...inBackend, bucket, key } }] : []),
    { of: 'action', search: { action: event.action } },
  ];
}
