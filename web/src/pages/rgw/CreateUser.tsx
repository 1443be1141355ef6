import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import type { Project } from '../../api/projects';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { useIsAdmin } from '../../api/session';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { KeyOnce } from '../s3-proxy/credentials/SecretOnce';
import { fillingOf } from './filling';

interface CreateUserProps {
  /** Those in which one may. */
  projects: readonly Project[];
  project: string | undefined;
  onClose: () => void;
}

/** Makes a user and shows its secret, this once. The secret lives in this state alone. */
export function CreateUser(props: CreateUserProps) {
  const [made, setMade] = useState<{ user: RGWUser; requestId: string }>();
  if (!made) {
    return <CreateForm {...props} onMade={(user, requestId) => setMade({ user, requestId })} />;
  }
  const close = () => {
    props.onClose();
    tellDone(`RGW user ${made.user.name} created.`, made.requestId);
  };
  return <KeyOnce title="RGW user created" filling={fillingOf(made.user)} replacedBy="renewing the key" onClose={close} />;
}

const fields = ['user.name', 'name', 'user.project_id', 'project_id', 'user.backend_id', 'backend_id'];

function CreateForm({ projects, project, onMade, onClose }: CreateUserProps & { onMade: (user: RGWUser, requestId: string) => void }) {
  const [name, setName] = useState('');
  const [projectId, setProjectId] = useState(project ?? projects[0]?.id ?? '');
  const [backend, setBackend] = useState('');
  const isAdmin = useIsAdmin();
  const backends = useQuery({ ...backendsQuery, enabled: isAdmin }).data ?? [];
  const queryClient = useQueryClient();
  const create = useAction(async () => {
    const user = { name, project_id: projectId, ...(backend ? { backend_id: backend } : {}) };
    const { data, requestId } = await send(api.POST('/rgw/users', { body: { user } }));
    void queryClient.invalidateQueries({ queryKey: rgwKey });
    onMade(data, requestId);
  });
  const fault = (field: string) => faultOf(create.error, field) ?? faultOf(create.error, `user.${field}`);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  return (
    <Dialog title="Create RGW user" busy={create.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name" description="Unique in its project; can be changed later" placeholder="my-app-storage" required data-autofocus autoComplete="off"
            value={name} onChange={(event) => setName(event.currentTarget.value)} error={fault('name')}
          />
          <Select
            label="Project" description="Its members see the user and all that it owns" data={projects.map(({ id, name: label }) => ({ value: id, label }))} value={projectId}
            allowDeselect={false} searchable={projects.length > 8} onChange={(next) => setProjectId(next ?? '')} error={fault('project_id')}
          />
          {isAdmin ? (
            <Select
              label="Backend" description="Where its buckets are" data={[{ value: '', label: 'The one Ceph, or the one backend, that there is' }, ...backends.map(({ id }) => ({ value: id, label: id }))]} value={backend}
              allowDeselect={false} onChange={(next) => setBackend(next ?? '')} error={fault('backend_id')}
            />
          ) : (
            <TextInput
              label="Backend" description="Its id; empty: the one that there is" autoComplete="off" autoCapitalize="none" spellCheck={false}
              value={backend} onChange={(event) => setBackend(event.currentTarget.value)} error={fault('backend_id')}
            />
          )}
          {create.error && <ErrorNotice title="The RGW user was not created" error={create.error} shown={(field) => fields.includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={create.busy}>Cancel</Button>
            <Button type="submit" loading={create.busy}>Create RGW user</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
