import { Group, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { Bytes } from '../../components/Bytes';
import { CopyButton } from '../../components/CopyButton';
import { Facts } from '../../components/Facts';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { StatusBadge } from '../../components/StatusBadge';
import { capital, counted, visible } from '../../lib/text';
import { local, utcPrecise } from '../../lib/time';
import { AccessKey } from './AccessKey';
import classes from './EventDetails.module.css';
import { actsOnKey, type Event, explained, outcome, related } from './events';
import { KeyList } from './KeyList';
import { Linked } from './Linked';

interface EventDetailsProps {
  event: Event;
  /** Asks whether to revoke the access key. */
  onRevoke: () => void;
}

/** Everything that is recorded of an event. */
export function EventDetails({ event, onRevoke }: EventDetailsProps) {
  const { detail } = event;
  return (
    <Stack gap="md">
      <Summary event={event} />
      <Related event={event} />
      <Section title="Who">
        <Facts items={who(event, onRevoke)} />
      </Section>
      <Section title="What">
        <Facts items={what(event, onRevoke)} />
        <KeyList label="Keys" keys={detail.keys?.map((key, i) => withVersion(key, detail.key_version_ids?.[i]))} />
        <KeyList label="Keys refused" keys={detail.denied_keys} />
        <KeyList label="Keys failed" keys={detail.failed_keys} />
      </Section>
      {detail.changes && (
        <Section title="Changes">
          <Facts items={Object.entries(detail.changes).map(([name, value]) => [capital(name.replaceAll('_', ' ')), <Plain key={name} text={value} />])} />
        </Section>
      )}
      <Section title="Record">
        <Facts items={record(event)} />
      </Section>
      <Linked event={event} />
      <div>
        <CopyButton words what="event as JSON" text={JSON.stringify(event, null, 2)} />
      </div>
    </Stack>
  );
}

function Summary({ event }: { event: Event }) {
  const { code, message, count = 0, last_time } = event.detail;
  const why = [code, message].filter((part) => part !== undefined && part !== '').map((part) => visible(part ?? ''));
  return (
    <div>
      <Group gap="sm">
        <StatusBadge {...outcome(event)} />
        {event.status !== 0 && <span>HTTP {event.status}</span>}
        <RelativeTime value={event.time} />
      </Group>
      {why.length > 0 && <Text mt={4} className={classes.text}>{why.join(': ')}</Text>}
      {explained(event) && <Text mt={4} c="dimmed">{explained(event)}</Text>}
      {count > 1 && (
        <Text mt={4}>
          Stands for {counted(count, 'refusal')} of the same kind from the same source
          {last_time && <>; last refused <RelativeTime value={last_time} /></>}.
        </Text>
      )}
    </div>
  );
}

function Related({ event }: { event: Event }) {
  return (
    <nav aria-label="Related events" className={classes.related}>
      <span>Events of the same</span>
      {related(event).map(({ of, search }) => <Link key={of} to="/admin/audit" search={search}>{of}</Link>)}
    </nav>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={3} mb={4}>{title}</Title>
      {children}
    </section>
  );
}

type Items = (readonly [name: string, value: ReactNode])[];

function who(event: Event, onRevoke: () => void): Items {
  const { detail } = event;
  return [
    ['Account', event.account && <Plain text={event.account} />],
    ['Access key', detail.access_key_id && !actsOnKey(event) && <AccessKey event={event} onRevoke={onRevoke} />],
    ['Identity', proof(event)],
    ['API token', detail.token_id && <MonoId value={detail.token_id} what="token id" max={40} />],
    ['Source address', event.source_ip && <MonoId value={event.source_ip} what="source address" max={40} />],
    ['User agent', event.user_agent && <Plain text={event.user_agent} />],
  ];
}

/** Whether it is certain who it was. */
function proof({ detail }: Event): string {
  if (detail.anonymous) {
    return 'anonymous, by a public binding';
  }
  if (detail.authenticated) {
    return 'proven';
  }
  return detail.access_key_id ? 'claimed only: the signature did not prove it' : 'not proven';
}

/** What an alias makes of the names; empty where the client uses the real ones. */
function seenAs({ bucket, key, detail }: Event): string {
  if (!detail.client_bucket && !detail.client_key) {
    return '';
  }
  const shown = [detail.client_bucket ?? bucket, detail.client_key ?? key];
  return shown.filter(Boolean).join('/');
}

const withVersion = (name: string, version?: string) => (version ? `${name} (version ${version})` : name);

function what(event: Event, onRevoke: () => void): Items {
  const { backend, bucket, key, detail } = event;
  const { bytes, spends } = detail;
  return [
    ['Acts on', actsOnKey(event) ? <AccessKey event={event} onRevoke={onRevoke} /> : detail.target && <Plain mono text={detail.target} />],
    ['Backend', backend && <Plain mono text={backend} />],
    ['Bucket', bucket && <Plain mono text={bucket} />],
    ['Object key', key && <Plain mono copy="object key" text={key} />],
    ['For the client', seenAs(event) && <Plain mono text={seenAs(event)} />],
    ['Version', detail.version_id && <MonoId value={detail.version_id} what="version id" max={40} />],
    ['Copied from', detail.copy_source && <Plain mono text={withVersion(detail.copy_source, detail.copy_source_version_id)} />],
    ['Upload', detail.upload_id && <MonoId value={detail.upload_id} what="upload id" max={40} />],
    ['Part', detail.part_number],
    ['Size', bytes === undefined ? undefined : <Bytes n={bytes} />],
    ['Of the key’s allowance', spends && <Bytes n={spends.bytes} />],
    ['ETag', detail.etag && <MonoId value={detail.etag} what="ETag" max={40} />],
  ];
}

function record(event: Event): Items {
  const moment = new Date(event.time);
  return [
    ['Time', <span key="time">{utcPrecise(moment)}<br /><Text span c="dimmed">{local(moment)}</Text></span>],
    ['Action', <code key="action">{visible(event.action)}</code>],
    ['Request id', event.request_id && <MonoId value={event.request_id} what="request id" max={40} />],
    ['Event id', <MonoId key="id" value={event.id} what="event id" max={40} />],
  ];
}

/** A text that somebody chose: what hides in it is shown, copied it is as it was. */
function Plain({ text, mono, copy }: { text: string; mono?: boolean; copy?: string }) {
  const shown = <span className={mono ? `mono ${classes.text}` : classes.text}>{visible(text)}</span>;
  return copy ? <Group gap={4} wrap="nowrap" align="flex-start">{shown}<CopyButton text={text} what={copy} /></Group> : shown;
}
