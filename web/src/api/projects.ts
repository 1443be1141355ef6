import { queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from './client';

export type Project = Schemas['Project'];
export type Member = Schemas['Member'];

/** The projects that the account may see; all of them for admins. */
export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/projects', { signal }))).data.items,
});

export const projectQuery = (id: string) => queryOptions({
  queryKey: ['projects', id],
  queryFn: async ({ signal }) => (await send(api.GET('/api/projects/{id}', { params: { path: { id } }, signal }))).data,
});

export const membersQuery = (id: string) => queryOptions({
  queryKey: ['projects', id, 'members'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/projects/{id}/members', { params: { path: { id } }, signal }))).data.items,
});
