import { Autocomplete, Select, Text, TextInput } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, send } from '../../api/client';
import type { Project } from '../../api/projects';
import { rgwKey } from '../../api/rgw';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { ChangeForm } from './ChangeForm';

/** A Ceph has thousands of users: more than these are not offered, but can be typed. */
const offered = 1000;

const unmanagedQuery = (backend: string) => queryOptions({
  queryKey: [...rgwKey, 'unmanaged', backend],
  retry: false, // the Ceph is down more often than the network hiccups
  queryFn: async ({ signal }) => {
    const found: string[] = [];
    let cursor: string | undefined;
    do { // a page may be short, or empty, though there is a next one
      const { data } = await send(api.GET('/rgw/backends/{backend}/users', { params: { path: { backend }, query: { limit: 1000, ...(cursor ? { cursor } : {}) } }, signal }));
      found.push(...data.items.map(({ uid }) => uid));
      cursor = data.next_cursor;
    } while (cursor && found.length < offered);
    return found;
  },
});

interface AdoptUserProps {
  /** Ids of the Cephs that there are. */
  cephs: readonly string[];
  projects: readonly Project[];
  project: string | undefined;
  onClose: () => void;
}

/** Takes a user that a Ceph has already under management; for admins. */
export function AdoptUser({ cephs, projects, project, onClose }: AdoptUserProps) {
  const [backend, setBackend] = useState(cephs[0] ?? '');
  const [uid, setUID] = useState('');
  const [projectId, setProjectId] = useState(project ?? projects[0]?.id ?? '');
  const [name, setName] = useState('');
  const unmanaged = useQuery(unmanagedQuery(backend));
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const adopt = useAction(async () => {
    const { data, requestId } = await send(api.POST('/rgw/backends/{backend}/adopt', {
      params: { path: { backend } }, body: { uid, project_id: projectId, ...(name ? { name } : {}) },
    }));
    onClose();
    tellDone(`RGW user ${data.name} adopted.`, requestId);
    await queryClient.invalidateQueries({ queryKey: rgwKey });
    await navigate({ to: '/rgw/users/$user', params: { user: data.id }, search: ({ q, project: at }) => ({ q, project: at }) });
  });
  return (
    <ChangeForm
      title="Adopt RGW user" confirm="Adopt user" refused="The user was not adopted" fields={['uid', 'project_id', 'name']} change={adopt} disabled={uid === ''}
      onSubmit={() => void adopt.run()} onClose={onClose}
    >
      <Text>A user that the Ceph has already is managed here from then on. It keeps its key, of which it must have just one, its quota and its buckets; its key works at the gateway too.</Text>
      {cephs.length > 1 && (
        <Select label="Ceph" data={[...cephs]} value={backend} allowDeselect={false} onChange={(next) => { setBackend(next ?? ''); setUID(''); }} />
      )}
      <Autocomplete
        label="Uid" description="Of the user at the Ceph" required data-autofocus autoComplete="off" autoCapitalize="none" spellCheck={false} limit={20}
        data={unmanaged.data ?? []} value={uid} onChange={setUID} error={faultOf(adopt.error, 'uid')}
      />
      {unmanaged.error && <ErrorNotice title="The users of the Ceph could not be read" error={unmanaged.error} onRetry={() => void unmanaged.refetch()} />}
      <Select
        label="Project" description="Its members see the user and all that it owns" data={projects.map(({ id, name: label }) => ({ value: id, label }))} value={projectId}
        allowDeselect={false} searchable={projects.length > 8} onChange={(next) => setProjectId(next ?? '')} error={faultOf(adopt.error, 'project_id')}
      />
      <TextInput
        label="Name" description="Empty: the one at the Ceph" autoComplete="off"
        value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(adopt.error, 'name')}
      />
    </ChangeForm>
  );
}
