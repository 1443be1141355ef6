import { Skeleton, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { api, send } from '../../api/client';
import { ErrorNotice } from '../../components/ErrorNotice';
import { StatusBadge, type Tone } from '../../components/StatusBadge';
import { latencyText, type Span, spansOf } from '../../lib/health';
import { percent } from '../../lib/numbers';
import { capital } from '../../lib/text';
import { clock, clockSpan } from '../../lib/time';
import classes from './HealthHistory.module.css';

const hour = 3_600_000;
const day = 24 * hour;

const tones: Record<Span['state'], Tone> = { healthy: 'good', unhealthy: 'bad', unknown: 'quiet' };
const words: Record<Span['state'], string> = { healthy: 'healthy', unhealthy: 'unhealthy', unknown: 'not looked at' };

/** How a backend was over the last 24 hours: a strip, and the same as a table. */
export function HealthHistory({ backend }: { backend: string }) {
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ['backends', 'health', backend],
    refetchInterval: 30_000,
    queryFn: async ({ signal }) =>
      (await send(api.GET('/api/backends/{backend}/health', { params: { path: { backend }, query: { hours: 24 } }, signal }))).data.items,
  });
  if (!data) {
    return error ? <ErrorNotice title="The history could not be read" error={error} onRetry={() => void refetch()} /> : <Skeleton height={200} />;
  }
  const spans = spansOf(data, dataUpdatedAt - day, dataUpdatedAt);
  return (
    <Stack gap="md">
      <Text>{summary(spans)}</Text>
      <Strip spans={spans} />
      <Changes spans={spans} />
    </Stack>
  );
}

const length = (spans: readonly Span[]) => spans.reduce((sum, { from, to }) => sum + to - from, 0);

function summary(spans: readonly Span[]): string {
  const known = length(spans.filter(({ state }) => state !== 'unknown'));
  if (known === 0) {
    return 'Nobody looked at it in the last 24 hours.';
  }
  const healthy = length(spans.filter(({ state }) => state === 'healthy'));
  return `Healthy ${percent(healthy / known)} of the time that is known of the last 24 hours.`;
}

const height = 24;

/** The day as a strip; the table has its numbers. */
function Strip({ spans }: { spans: readonly Span[] }) {
  const begin = spans[0]?.from ?? 0;
  const x = (moment: number) => `${((moment - begin) / day) * 100}%`;
  return (
    <figure className={classes.figure}>
      <svg width="100%" height={height + 20} aria-hidden focusable="false">
        {spans.map((span) => (
          <rect key={span.from} className={classes.span} data-state={span.state} x={x(span.from)} width={x(begin + span.to - span.from)} height={height}>
            <title>{`${clockSpan(new Date(span.from), new Date(span.to))}: ${words[span.state]}`}</title>
          </rect>
        ))}
        {hoursOf(begin).map((moment) => (
          <svg key={moment} x={x(moment)} y={height} overflow="visible">
            <line className={classes.mark} y2={4} />
            <text className={classes.label} y={17} textAnchor="middle">{clock(new Date(moment))}</text>
          </svg>
        ))}
      </svg>
      <figcaption className={classes.caption}>
        {(['healthy', 'unhealthy', 'unknown'] as const).map((state) => <span key={state} className={classes.key} data-state={state}>{capital(words[state])}</span>)}
      </figcaption>
    </figure>
  );
}

/** The hours of a day that are labelled: every fourth, those at the edges left out. */
function hoursOf(begin: number): number[] {
  const first = Math.ceil(begin / hour) * hour;
  return Array.from({ length: 24 }, (_, i) => first + i * hour)
    .filter((moment) => new Date(moment).getHours() % 4 === 0 && moment - begin > hour && begin + day - moment > hour);
}

const most = 50;

function Changes({ spans }: { spans: readonly Span[] }) {
  const newest = spans.toReversed();
  return (
    <>
      <Table aria-label="Health, newest first" verticalSpacing={4} horizontalSpacing={8}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Time</Table.Th>
            <Table.Th scope="col">It was</Table.Th>
            <Table.Th scope="col" ta="end">Slowest answer</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {newest.slice(0, most).map((span) => (
            <Table.Tr key={span.from}>
              <Table.Th scope="row" fw={400}>{clockSpan(new Date(span.from), new Date(span.to))}</Table.Th>
              <Table.Td className={classes.why ?? ''}>
                <StatusBadge status={words[span.state]} tone={tones[span.state]} />
                {span.state === 'unhealthy' && span.message && <Text inherit c="dimmed">{capital(span.message)}</Text>}
              </Table.Td>
              <Table.Td ta="end">{span.state === 'healthy' && span.slowest !== undefined && <span className="exact">{latencyText(span.slowest)}</span>}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {newest.length > most && <Text c="dimmed">{(newest.length - most).toLocaleString('en')} older changes are in the strip only.</Text>}
    </>
  );
}
