import { Group, Stack, Text, Title } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { api, send } from '../../api/client';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { visible } from '../../lib/text';
import { type Event, outcome } from './events';
import type { AuditSearch } from './filters';

/** How many are shown beside the event itself. */
const shown = 5;

type Same = Pick<AuditSearch, 'request_id' | 'access_key_id' | 'backend' | 'bucket' | 'key'>;

function linkedQuery(search: Same) {
  return queryOptions({
    queryKey: ['audit', 'linked', search],
    queryFn: async ({ signal }) => (await send(api.GET('/api/audit', { params: { query: { ...search, limit: shown + 1 } }, signal }))).data.items,
  });
}

/** The newest events that have the request or a key in common with one. */
export function Linked({ event }: { event: Event }) {
  const { request_id, backend, bucket, key, detail } = event;
  return (
    <Stack gap="xs">
      {request_id && <Same title="Same request" event={event} search={{ request_id }} />}
      {bucket && key && <Same title="Same object key" event={event} search={{ ...(backend ? { backend } : {}), bucket, key }} />}
      {detail.access_key_id && <Same title="Same access key" event={event} search={{ access_key_id: detail.access_key_id }} />}
    </Stack>
  );
}

function Same({ title, event, search }: { title: string; event: Event; search: Same }) {
  const { data } = useQuery(linkedQuery(search));
  const others = data?.filter(({ id }) => id !== event.id).slice(0, shown) ?? [];
  if (others.length === 0) {
    return null; // the links above lead to the whole list
  }
  return (
    <section>
      <Title order={3} mb={4}>{title}</Title>
      <Stack component="ul" gap={4} m={0} p={0} style={{ listStyle: 'none' }} aria-label={title}>
        {others.map((other) => (
          <Group component="li" key={other.id} gap="xs">
            <Link to="/admin/audit/$eventId" params={{ eventId: other.id }} search resetScroll={false}><code>{visible(other.action)}</code></Link>
            <StatusBadge {...outcome(other)} />
            <Text span size="xs" c="dimmed"><RelativeTime value={other.time} /></Text>
          </Group>
        ))}
      </Stack>
    </section>
  );
}
