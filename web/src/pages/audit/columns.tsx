import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';

import type { Column } from '../../components/DataTable';
import { MonoId } from '../../components/MonoId';
import { Path } from '../../components/Path';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { counted, middle, visible } from '../../lib/text';
import { RevokeKey } from '../s3-proxy/credentials/RevokeKey';
import classes from './columns.module.css';
import { actsOnKey, credentialOf, type Event, outcome, place } from './events';

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
  { id: 'result', header: 'Result', width: '130px', long: true, cell: (event) => <Outcome event={event} /> },
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
  return (
    <>
      {event.account && <div>{visible(event.account)}</div>}
      {anonymous && <Text c="dimmed">anonymous</Text>}
      {access_key_id && !actsOnKey(event) && (
        <>
          <Key event={event} />
          {!authenticated && <Text size="xs" c="dimmed">claimed only</Text>}
        </>
      )}
    </>
  );
}

function What({ event }: { event: Event }) {
  if (actsOnKey(event)) {
    return <Key event={event} />;
  }
  const text = place(event);
  return text && <Text span inherit className="mono"><Path text={middle(visible(text), 160)} /></Text>;
}

/** The access key; one that is certain can be revoked here. */
function Key({ event }: { event: Event }) {
  const id = credentialOf(event);
  return (
    <>
      <MonoId value={event.detail.access_key_id ?? ''} what="access key" />
      {id && event.detail.authenticated && <RevokeKey accessKeyId={id} className={classes.onRow} />}
    </>
  );
}
