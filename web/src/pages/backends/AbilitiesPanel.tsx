import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';

import { type Backend, backendsQuery } from '../../api/buckets';
import { api, type Schemas, send } from '../../api/client';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { useAction } from '../../components/useAction';
import { capital } from '../../lib/text';
import { losesCutUploads, provenOf } from './abilities';
import classes from './TestPanel.module.css';

/** What a backend is proven to do, with what follows, and a way to probe it again. */
export function AbilitiesPanel({ backend }: { backend: Backend }) {
  const queryClient = useQueryClient();
  const probe = useAction(async () => {
    const { data, requestId } = await send(api.POST('/api/backends/{backend}/test', { params: { path: { backend: backend.id } } }));
    await queryClient.invalidateQueries(backendsQuery);
    if (data.ok) {
      tellDone(`Backend ${backend.id} was probed.`, requestId);
    }
  });
  return (
    <Stack gap="sm">
      <Text c="dimmed">
        What is not proven is taken for something that the backend does not do: the gateway does it, or refuses what would need it.
        {' '}
        {backend.scratch ? <>A probe writes under <code>{backend.scratch}</code> and cleans up.</> : 'A probe makes a scratch bucket and removes it.'}
      </Text>
      {losesCutUploads(backend) && (
        <Alert variant="outline" color="danger" title="An upload that is cut off may be stored in part">
          It then takes the place of the object that was there. Uploads that cannot be kept from that are recorded with the result “unknown”.
        </Alert>
      )}
      <Group>
        <Button loading={probe.busy} onClick={() => void probe.run()}>Probe again</Button>
        <Text inherit c="dimmed">Probed <RelativeTime value={backend.probed_at} absent="never" /></Text>
      </Group>
      {probe.error && <ErrorNotice title="The probe did not run" error={probe.error} />}
      <ul className={classes.steps} aria-label="Abilities" aria-live="polite" aria-busy={probe.busy}>
        {backend.abilities.map((ability) => <Line key={ability.name} ability={ability} />)}
      </ul>
    </Stack>
  );
}

function Line({ ability }: { ability: Schemas['Ability'] }) {
  const proven = provenOf(ability);
  return (
    <li>
      <span>{ability.title}</span>
      <StatusBadge status={proven.status} tone={proven.tone} />
      <Text className={classes.message ?? ''} c="dimmed">
        {ability.means}
        {ability.note && ability.verdict !== 'yes' && ` ${capital(ability.note)}.`}
        {ability.proven_at && <> Found <RelativeTime value={ability.proven_at} />, holds until <RelativeTime value={ability.expires_at} />.</>}
      </Text>
    </li>
  );
}
