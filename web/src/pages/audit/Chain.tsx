import { Button, Code, Stack, Text } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { ErrorNotice } from '../../components/ErrorNotice';
import { Facts } from '../../components/Facts';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { visible } from '../../lib/text';
import { type Sink, sinksQuery } from './sinks';

const chainQuery = queryOptions({
  queryKey: ['audit', 'chain'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/audit/chain', { signal }))).data,
});

/** Opens how the audit journal stands. */
export function Chain() {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => { setOpened(true); }}>Chain</Button>
      {opened && <Dialog onClose={() => { setOpened(false); }} title="Audit journal"><Standing /></Dialog>}
    </>
  );
}

function Standing() {
  const { data, error, refetch } = useQuery(chainQuery);
  if (error) {
    return <ErrorNotice title="How the journal stands could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Text>Loading…</Text>;
  }
  return (
    <Stack gap="sm">
      <Text size="sm">Every record carries the hash of the one before it. Anchors say, signed, what the last one was: keep them on another machine, and nobody can write the journal anew unseen.</Text>
      <Facts items={[
        ['Records', data.record.toLocaleString()],
        ['Hash of the last', data.hash && <MonoId value={data.hash} what="hash" />],
        ['Anchored', data.anchor ? <>record {data.anchor.record.toLocaleString()}, <RelativeTime value={data.anchor.time} /></> : 'not yet'],
        ['Public key', data.public_key && <MonoId value={data.public_key} what="public key" />],
        ['Journal', <MonoId key="id" value={data.journal} />],
      ]} />
      <Sinks />
      <Text size="sm">On the server, <Code>keystile audit verify</Code> reads all of it. <Code>keystile audit anchors</Code> writes the anchors, to keep.</Text>
    </Stack>
  );
}

/** How far those are that the journal is shipped to. */
function Sinks() {
  const { data, error, refetch } = useQuery(sinksQuery);
  if (error) {
    return <ErrorNotice title="How the sinks stand could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (!data || data.length === 0) {
    return data && <Text size="sm">It is shipped nowhere: <Code>audit.sinks</Code> of the configuration names no sink.</Text>;
  }
  return <Facts items={data.map((sink) => [sink.name, <SinkState key={sink.name} sink={sink} />])} />;
}

function SinkState({ sink }: { sink: Sink }) {
  return (
    <>
      <StatusBadge {...(sink.failing ? { status: 'failing', tone: 'bad' } : { status: 'takes', tone: 'good' })} /> {sink.kind} to <Code>{visible(sink.target)}</Code>
      {sink.records && <Text size="xs" c="dimmed">record {sink.position.toLocaleString('en')}, {sink.lag.toLocaleString('en')} behind</Text>}
      {sink.anchors && <Text size="xs" c="dimmed">{sink.anchored > 0 ? `anchor of record ${sink.anchored.toLocaleString('en')}` : 'no anchor yet'}</Text>}
      {sink.failing && <Text size="xs">{visible(sink.failing)}</Text>}
    </>
  );
}
