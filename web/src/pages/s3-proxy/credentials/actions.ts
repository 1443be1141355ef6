import { type QueryClient, queryOptions } from '@tanstack/react-query';

import { api, ApiError, asApiError, type Schemas, send } from '../../../api/client';
import { tellDone } from '../../../components/done';
import type { Tone } from '../../../components/StatusBadge';
import { counted } from '../../../lib/text';

export type Credential = Schemas['Credential'];
export type CredentialWithSecret = Schemas['CredentialWithSecret'];

export const statusTones: Record<Credential['status'], Tone> = { active: 'good', disabled: 'warn', expired: 'quiet', revoked: 'bad' };

export const credentialQuery = (accessKeyId: string) => queryOptions({
  queryKey: ['credentials', 'one', accessKeyId],
  queryFn: async ({ signal }) =>
    (await send(api.GET('/api/credentials/{access_key_id}', { params: { path: { access_key_id: accessKeyId } }, signal }))).data,
});

/** What a key did in the last hour and day, as it was counted. Who asks what would break gets the newest. */
export const trafficQuery = (accessKeyId: string) => queryOptions({
  queryKey: ['credentials', 'traffic', accessKeyId],
  staleTime: 0,
  queryFn: async ({ signal }) =>
    (await send(api.GET('/api/credentials/{access_key_id}/traffic', { params: { path: { access_key_id: accessKeyId } }, signal }))).data,
});

/** Reads again whatever shows credentials. */
export function refreshCredentials(queryClient: QueryClient): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ['credentials'] });
}

/** What is done to a key by a word of its address. */
export type Deed = 'disable' | 'enable' | 'revoke';

const done: Record<Deed, string> = { disable: 'disabled', enable: 'enabled', revoke: 'revoked' };

function call(deed: Deed, accessKeyId: string) {
  const params = { params: { path: { access_key_id: accessKeyId } } };
  switch (deed) {
    case 'disable':
      return send(api.POST('/api/credentials/{access_key_id}/disable', params));
    case 'enable':
      return send(api.POST('/api/credentials/{access_key_id}/enable', params));
    case 'revoke':
      return send(api.POST('/api/credentials/{access_key_id}/revoke', params));
  }
}

/** Does it to one key, and says so. */
export async function actOn(queryClient: QueryClient, deed: Deed, accessKeyId: string): Promise<void> {
  const { requestId } = await call(deed, accessKeyId);
  await refreshCredentials(queryClient);
  tellDone(`Key ${accessKeyId} ${done[deed]}.`, requestId);
}

/**
 * Does it to several keys, one after the other, and goes on where one fails.
 * Throws what failed first, with how many did.
 */
export async function actOnAll(queryClient: QueryClient, deed: Deed, keys: readonly string[], progress: (count: number) => void): Promise<void> {
  const failed: [key: string, error: ApiError][] = [];
  for (const [i, key] of keys.entries()) {
    progress(i);
    try {
      await call(deed, key);
    } catch (thrown) {
      failed.push([key, asApiError(thrown)]);
    }
  }
  await refreshCredentials(queryClient);
  const first = failed[0];
  if (first) {
    const [key, error] = first;
    const message = `${failed.length} of ${counted(keys.length, 'key')} failed; the first was ${key}: ${error.message}`;
    throw new ApiError(message, error.code, error.status, error.requestId);
  }
  tellDone(`${counted(keys.length, 'key')} ${done[deed]}.`, undefined, `credential.${deed}`);
}
