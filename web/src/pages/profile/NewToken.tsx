import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { projectsQuery } from '../../api/projects';
import { Dialog } from '../../components/Dialog';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { ShowOnce } from '../../components/ShowOnce';
import { useAction } from '../../components/useAction';

interface NewTokenProps {
  onMade: () => Promise<unknown>;
  onClose: () => void;
}

const expiries = [
  { value: '24h', label: '24 hours' },
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
  { value: '365d', label: '1 year' },
  { value: '', label: 'Never' },
];

/** Makes an API token and shows it, this once. The value lives in this state alone. */
export function NewToken({ onMade, onClose }: NewTokenProps) {
  const [value, setValue] = useState<string>();
  if (value !== undefined) {
    return <ShowOnce title="Save this token now" what="token" value={value} onClose={onClose} />;
  }
  return <TokenForm onMade={(made) => { setValue(made); void onMade(); }} onClose={onClose} />;
}

function TokenForm({ onMade, onClose }: { onMade: (value: string) => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [expires, setExpires] = useState('30d');
  const [project, setProject] = useState('');
  const projects = useQuery(projectsQuery).data ?? [];
  const create = useAction(async () => {
    const { data } = await send(api.POST('/api/tokens', { body: { name, ...(expires ? { expires_in: expires } : {}), ...(project ? { project_id: project } : {}) } }));
    onMade(data.token);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void create.run();
  };
  return (
    <Dialog title="Create API token" busy={create.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label="Name" description="Says later what it was for" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={faultOf(create.error, 'name')} />
          <Select label="Expires after" data={expiries} value={expires} allowDeselect={false} onChange={(next) => setExpires(next ?? '')} error={faultOf(create.error, 'expires_in') ?? faultOf(create.error, 'expires_at')} />
          {projects.length > 0 && (
            <Select
              label="Good for" description="In a project it acts as you do, as an owner at most, and nowhere else" data={[{ value: '', label: 'All that the account may do' }, ...projects.map(({ id, name: label }) => ({ value: id, label: `Project ${label}` }))]}
              value={project} allowDeselect={false} searchable={projects.length > 8} onChange={(next) => setProject(next ?? '')} error={faultOf(create.error, 'project_id')}
            />
          )}
          {create.error && <ErrorNotice title="The token was not made" error={create.error} shown={(field) => ['name', 'expires_in', 'expires_at', 'project_id'].includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={create.busy}>Create API token</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
