import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from './client';

export type RGWUser = Schemas['RGWUser'];
export type RGWBucket = Schemas['RGWBucket'];
export type RGWObject = Schemas['RGWObject'];
export type RGWJob = Schemas['RGWJob'];

/** What all that is read of RGW users begins with. */
export const rgwKey = ['rgw'] as const;

/** One user, with its usage as it is now. */
export const rgwUserQuery = (id: string) => queryOptions({
  queryKey: [...rgwKey, id],
  queryFn: async ({ signal }) => (await send(api.GET('/rgw/users/{user_id}', { params: { path: { user_id: id } }, signal }))).data,
});

export const rgwBucketsQuery = (id: string) => queryOptions({
  queryKey: [...rgwKey, id, 'buckets'],
  queryFn: async ({ signal }) => (await send(api.GET('/rgw/users/{user_id}/buckets', { params: { path: { user_id: id } }, signal }))).data ?? [],
});

/** A deletion; read again until it is over. */
export const rgwJobQuery = (id: string) => queryOptions({
  queryKey: [...rgwKey, 'job', id],
  queryFn: async ({ signal }) => (await send(api.GET('/rgw/jobs/{job_id}', { params: { path: { job_id: id } }, signal }))).data,
  refetchInterval: ({ state }) => (state.data && !over(state.data) ? 1000 : false),
});

/** Whether nothing more is done for a job. */
export function over({ state }: Pick<RGWJob, 'state'>): boolean {
  return state === 'done' || state === 'cancelled';
}
