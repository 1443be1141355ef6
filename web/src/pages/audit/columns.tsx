import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';

import type { Column } from '../../components/DataTable';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { counted, middle, visible } from '../../lib/text';
import { RevokeKey } from '../s3-proxy/credentials/RevokeKey';
import classes from './columns.module.css';
import { credentialOf, type Event, outcome, place } from './events';

/** What the list shows of an event. */
export const columns: readonly Column<Event>[] = [
  { id: 'time', header: 'Time', width: '112px', cell: (event) => <RelativeTime value={event.time} /> },
  {
    id: 'action', header: 'Action', width: '212px', long: true, cell: (event) => (
      <Link to="/admin/audit/$eventId" params={{ eventId: event.id }} search resetScroll={false}>
        <code><ActionName action={event.action} /></code>
      </Link>
    ),
  },
  { id: 'result', header: 'Result', width: '150px', long: true, cell: (event) => <Outcome event={event} /> },
  { id: 'who', header: 'Who', width: '190px', long: true, cell: (event) => <Who event={event} /> },
  { id: 'what', header: 'What', long: true, cell: (event) => <What event={event} /> },
  { id: 'from', header: 'From', width: '120px', long: true, cell: (event) => event.source_ip && <code>{event.source_ip}</code> },
];

/** Breaks after a dot, where it must. */
function ActionName({ action }: { action: string }) {
  return visible(action).split(/(?<=\.)/).map((part, place) => <Fragment key={place}>{place > 0 && <wbr />}{part}</Fragment>);
}

function Outcome({ event }: { event: Event }) {
  const { code, count = 0 } = event.detail;
  return (
    <>
      <StatusBadge {...outcome(event)} />
      {code && <Text size="xs" c="dimmed">{visible(code)}</Text>}
      {count > 1 && <Text size="xs" c="dimmed">{counted(count, 'time')}</Text>}
    </>
  );
}

function Who({ event }: { event: Event }) {
  const { access_key_id, authenticated, anonymous } = event.detail;
  const proven = authenticated ? credentialOf(event) : undefined;
  return (
    <>
      {event.account && <div>{visible(event.account)}</div>}
      {anonymous && <Text c="dimmed">anonymous</Text>}
      {access_key_id && (
        <>
          <MonoId value={access_key_id} what="access key" />
          {!authenticated && <Text size="xs" c="dimmed">claimed only</Text>}
          {proven && <RevokeKey accessKeyId={proven} className={classes.onRow} />}
        </>
      )}
    </>
  );
}

function What({ event }: { event: Event }) {
  const text = place(event);
  return text && <Text span inherit className="mono">{middle(visible(text), 160)}</Text>;
}
