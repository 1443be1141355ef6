import { Stack, Text, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { type Column, DataTable } from '../../components/DataTable';
import { Empty } from '../../components/Empty';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { healthOf, latencyText } from '../../lib/health';
import { percent } from '../../lib/numbers';
import { capital, middle } from '../../lib/text';

type State = Schemas['BackendState'];

const command = 'keystile backend add ID --endpoint URL --access-key-id ID';

const columns: Column<State>[] = [
  { id: 'id', header: 'Backend', bare: true, cell: ({ id }) => <Name id={id} /> },
  { id: 'health', header: 'Health', long: true, cell: (state) => <Health state={state} /> },
  { id: 'checked', header: 'Last check', cell: ({ checked_at }) => <RelativeTime value={checked_at} absent="never" /> },
  { id: 'latency', header: 'Latency', align: 'end', cell: ({ checked_at, healthy, latency_ms }) => checked_at && healthy && latencyText(latency_ms) },
  { id: 'uptime', header: 'Uptime 24 h', align: 'end', cell: ({ uptime_24h }) => <Uptime share={uptime_24h} /> },
];

/** How each backend is. */
export function BackendStates({ backends }: { backends: readonly State[] }) {
  return (
    <DataTable
      label="Health of backends" columns={columns} rows={backends} rowKey={({ id }) => id}
      empty={<Empty command={command}>There is no backend yet, so no key can open anything.</Empty>}
    />
  );
}

function Name({ id }: { id: string }) {
  return <Link to="/admin/backends/$backend" params={{ backend: id }} title={id}>{middle(id, 28)}</Link>;
}

function Health({ state }: { state: State }) {
  const { healthy, message } = state;
  return (
    <Stack gap={0}>
      <StatusBadge {...healthOf(state)} />
      {!healthy && message && <Text inherit c="dimmed" lineClamp={2}>{capital(message)}</Text>}
    </Stack>
  );
}

function Uptime({ share }: { share: number | undefined }) {
  if (share === undefined) {
    return <Text span inherit c="dimmed">not known yet</Text>;
  }
  return <Tooltip label="Of the time in which somebody was looking"><span className="exact">{percent(share)}</span></Tooltip>;
}
