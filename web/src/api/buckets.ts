import { queryOptions, useQueries, useQuery } from '@tanstack/react-query';

import { api, type Schemas, send } from './client';

export type Backend = Schemas['Backend'];

export const backendsQuery = queryOptions({
  queryKey: ['backends'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/backends', { signal }))).data.items,
});

export const bucketsQuery = (backend: string) => queryOptions({
  queryKey: ['buckets', backend],
  retry: false, // the backend is down more often than the network hiccups
  queryFn: async ({ signal }) => (await send(api.GET('/api/backends/{backend}/buckets', { params: { path: { backend } }, signal }))).data.items,
});

export const bucketCORSQuery = (backend: string, bucket: string) => queryOptions({
  queryKey: ['buckets', backend, bucket, 'cors'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/backends/{backend}/buckets/{bucket}/cors', { params: { path: { backend, bucket } }, signal }))).data,
});

export const quotasQuery = queryOptions({
  queryKey: ['quotas'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/quotas', { signal }))).data.items,
});

/** A backend with its buckets, as far as they are known. */
export interface BackendBuckets {
  backend: string;
  buckets: readonly string[];
  loading: boolean;
  error: Error | null;
}

/** All buckets, by backend. For admins. Nothing is read while it is not enabled. */
export function useBuckets(enabled = true): { groups: BackendBuckets[]; loading: boolean; error: Error | null } {
  const backends = useQuery({ ...backendsQuery, enabled });
  const ids = backends.data?.map((backend) => backend.id) ?? [];
  const lists = useQueries({ queries: ids.map((id) => ({ ...bucketsQuery(id), enabled })) });
  const groups = ids.map((backend, i) => ({
    backend,
    buckets: lists[i]?.data?.map((bucket) => bucket.bucket) ?? [],
    loading: lists[i]?.isPending ?? true,
    error: lists[i]?.error ?? null,
  }));
  return { groups, loading: backends.isPending || groups.some((group) => group.loading), error: backends.error };
}
