import { Button, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { visible } from '../../lib/text';
import { type AuditSearch, filterNames } from './filters';

const viewsQuery = queryOptions({
  queryKey: ['audit', 'views'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/audit/views', { signal }))).data.items,
});

/** Filters that the account has named for itself; the server keeps them. */
export function Views({ search }: { search: AuditSearch }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>Views</Button>
      {opened && (
        <Dialog title="Saved views" light onClose={() => setOpened(false)}>
          <Stack gap="md">
            <Saved onChosen={() => setOpened(false)} />
            <Save search={search} />
          </Stack>
        </Dialog>
      )}
    </>
  );
}

function Saved({ onChosen }: { onChosen: () => void }) {
  const { data, error, refetch } = useQuery(viewsQuery);
  const queryClient = useQueryClient();
  const remove = useAction(async (name: string) => {
    await send(api.DELETE('/api/audit/views/{view}', { params: { path: { view: name } } }));
    await queryClient.invalidateQueries(viewsQuery);
  });
  if (error) {
    return <ErrorNotice title="The views could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton height={24} />;
  }
  return (
    <>
      {remove.error && <ErrorNotice title="The view was not removed" error={remove.error} />}
      {data.length === 0 && <Text c="dimmed">You have saved none. Only you see yours.</Text>}
      {data.length > 0 && (
        <Stack component="ul" gap={6} m={0} p={0} style={{ listStyle: 'none' }} aria-label="Saved views">
          {data.map(({ name, filter }) => (
            <Group component="li" key={name} justify="space-between" wrap="nowrap" align="flex-start">
              <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
                <Link to="/admin/audit" search={filter as AuditSearch} onClick={onChosen}>{visible(name)}</Link>
                <Text size="xs" c="dimmed">{inWords(filter)}</Text>
              </div>
              <Button variant="subtle" color="danger" size="compact-xs" disabled={remove.busy} aria-label={`Remove view ${name}`} onClick={() => void remove.run(name)}>Remove</Button>
            </Group>
          ))}
        </Stack>
      )}
    </>
  );
}

function inWords(filter: Readonly<Record<string, string>>): string {
  return filterNames.flatMap((name) => (filter[name] === undefined ? [] : [`${name.replaceAll('_', ' ')} ${visible(filter[name])}`])).join(', ');
}

function Save({ search }: { search: AuditSearch }) {
  const [name, setName] = useState('');
  const queryClient = useQueryClient();
  const save = useAction(async () => {
    await send(api.PUT('/api/audit/views/{view}', { params: { path: { view: name.trim() } }, body: { filter: search } }));
    setName('');
    await queryClient.invalidateQueries(viewsQuery);
  });
  if (Object.keys(search).length === 0) {
    return <Text size="sm">Set filters to save them as a view.</Text>;
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save.run();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <TextInput
          label="Name of these filters" description={inWords(search)} value={name} maxLength={64} autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)} error={faultOf(save.error, 'name')}
        />
        {save.error && <ErrorNotice title="The view was not saved" error={save.error} shown={(field) => field === 'name'} />}
        <Button type="submit" loading={save.busy} disabled={name.trim() === ''}>Save view</Button>
      </Stack>
    </form>
  );
}
