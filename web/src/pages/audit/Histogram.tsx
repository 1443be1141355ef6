import { Button, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { type PointerEvent, useState } from 'react';

import { api, asApiError, send } from '../../api/client';
import { besides, gapOf } from '../../components/BarChart';
import chart from '../../components/BarChart.module.css';
import { brief, count } from '../../lib/numbers';
import { ticksUpTo } from '../../lib/scale';
import { counted } from '../../lib/text';
import { type AuditSearch, toQuery } from './filters';
import classes from './Histogram.module.css';
import { bounds, kinds, type Span, spanLabel, spansOf, totalOf } from './spans';

const height = 96;
const left = 44;
const right = 4;
const top = 6;
const floor = height - 18;
const tip = { width: 200, away: 16 };

export function histogramQuery(search: AuditSearch) {
  return queryOptions({
    queryKey: ['audit', 'histogram', search],
    queryFn: async ({ signal }) => (await send(api.GET('/api/audit/histogram', { params: { query: toQuery(search, new Date()) }, signal }))).data,
    placeholderData: keepPreviousData,
  });
}

interface HistogramProps {
  search: AuditSearch;
  /** Narrows the time to what was brushed. */
  onRange: (range: { since: string; until: string }) => void;
}

/** How the events of the filter lie in time. A stretch of it can be brushed. */
export function Histogram({ search, onRange }: HistogramProps) {
  const { data, error } = useQuery(histogramQuery(search));
  const [numbers, setNumbers] = useState(false);
  if (error) {
    return <Text c="dimmed" mb="sm">How they lie in time is not shown: {asApiError(error).message}.</Text>;
  }
  const spans = data ? spansOf(data, search.until === undefined ? new Date() : undefined) : [];
  const all = spans.reduce((sum, span) => sum + totalOf(span), 0);
  return (
    <figure className={`${chart.figure} ${classes.figure}`}>
      <figcaption className={`${chart.caption} ${classes.caption}`}>
        <span>{data ? `${counted(all, 'event')}${search.since ?? search.until ? '' : ' in the last 24 hours'}` : 'Counting …'}{data && !data.complete && ' (the newest of them)'}</span>
        {kinds.map(({ id, label }) => <span key={id} className={classes.key} data-kind={id}>{label}</span>)}
        <Button variant="subtle" size="compact-xs" aria-expanded={numbers} onClick={() => setNumbers(!numbers)}>{numbers ? 'Hide the numbers' : 'Show the numbers'}</Button>
      </figcaption>
      <Bars spans={spans} onRange={onRange} />
      {numbers && <Numbers spans={spans} onRange={onRange} />}
    </figure>
  );
}

function Bars({ spans, onRange }: { spans: readonly Span[]; onRange: HistogramProps['onRange'] }) {
  const { ref, width } = useElementSize();
  const [shown, setShown] = useState<number>();
  const [from, setFrom] = useState<number>();
  const slot = Math.max(width - left - right, 0) / Math.max(spans.length, 1);
  const max = ticksUpTo(Math.max(0, ...spans.map(totalOf))).at(-1) ?? 1;
  const perEvent = (floor - top) / max;
  const at = (event: PointerEvent<SVGSVGElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - left;
    return Math.max(0, Math.min(spans.length - 1, Math.floor(x / slot)));
  };
  const brushed = from !== undefined && shown !== undefined ? [Math.min(from, shown), Math.max(from, shown)] as const : undefined;
  const end = () => {
    const first = brushed && spans[brushed[0]];
    const last = brushed && spans[brushed[1]];
    setFrom(undefined);
    if (first && last) {
      onRange(bounds(first, last));
    }
  };
  const span = shown === undefined ? undefined : spans[shown];
  return (
    <div ref={ref} className={chart.plot} onPointerLeave={() => { setShown(undefined); setFrom(undefined); }}>
      <svg
        width="100%" height={height} aria-hidden focusable="false" className={classes.plot}
        onPointerMove={(event) => setShown(at(event))} onPointerDown={(event) => { setShown(at(event)); setFrom(at(event)); }} onPointerUp={end}
      >
        <line className={chart.line} x1={left} x2={Math.max(width - right, left)} y1={floor} y2={floor} />
        <text className={chart.label} x={left - 6} y={top} dy="0.8em" textAnchor="end">{brief(max)}</text>
        <text className={chart.label} x={left - 6} y={floor} textAnchor="end">0</text>
        {width > 0 && spans.map((each, i) => (
          <g key={each.at.getTime()} transform={`translate(${left + i * slot} 0)`}>
            <rect
              className={chart.slot} width={slot} y={top} height={floor - top}
              data-shown={(brushed ? i >= brushed[0] && i <= brushed[1] : i === shown) || undefined}
            />
            <Pile span={each} slot={slot} perEvent={perEvent} />
          </g>
        ))}
        {spans.map((each, i) => (i % Math.max(1, Math.ceil(110 / slot)) === 0 && (spans.length - i) * slot > 60) && (
          <text key={each.at.getTime()} className={chart.label} x={left + i * slot} y={height - 3}>{spanLabel(each, spans)}</text>
        ))}
      </svg>
      {span && shown !== undefined && (
        <div className={chart.tip} aria-hidden style={{ left: besides(left + (shown + 0.5) * slot, width, tip), width: tip.width }}>
          <b>{spanLabel(span, spans)}</b>
          {kinds.filter(({ id }) => span[id] > 0).map(({ id, label }) => <div key={id}>{label}: {count(span[id])}</div>)}
          {totalOf(span) === 0 && <div>no events</div>}
        </div>
      )}
    </div>
  );
}

function Pile({ span, slot, perEvent }: { span: Span; slot: number; perEvent: number }) {
  const gap = gapOf(slot);
  const tall = kinds.map(({ id }) => (span[id] > 0 ? Math.max(span[id] * perEvent, 2) : 0));
  return kinds.map(({ id }, i) => {
    const above = tall.slice(0, i + 1).reduce((sum, one) => sum + one, 0);
    return <rect key={id} className={`${chart.bar} ${classes.bar}`} data-kind={id} x={gap / 2} width={Math.max(slot - gap, 1)} y={floor - above} height={tall[i]} />;
  });
}

/** The same for who does not point. */
function Numbers({ spans, onRange }: { spans: readonly Span[]; onRange: HistogramProps['onRange'] }) {
  const filled = spans.filter((span) => totalOf(span) > 0);
  return (
    <div className={classes.numbers}>
      <table aria-label="Events by time">
        <thead><tr><th scope="col">From</th>{kinds.map(({ id, label }) => <th key={id} scope="col">{label}</th>)}<th scope="col">Narrow</th></tr></thead>
        <tbody>
          {filled.map((span) => (
            <tr key={span.at.getTime()}>
              <th scope="row">{spanLabel(span, spans)}</th>
              {kinds.map(({ id }) => <td key={id}>{count(span[id])}</td>)}
              <td><Button variant="subtle" size="compact-xs" aria-label={`Only these, from ${spanLabel(span, spans)}`} onClick={() => onRange(bounds(span, span))}>Only these</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
      {filled.length === 0 && <Group><Text c="dimmed">No events.</Text></Group>}
    </div>
  );
}
