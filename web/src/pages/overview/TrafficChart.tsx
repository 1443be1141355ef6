import { useElementSize } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { type MouseEvent, useState } from 'react';

import type { Schemas } from '../../api/client';
import { besides, edge, floor, gapOf, height, perUnitOf, tallOf, YAxis } from '../../components/BarChart';
import chart from '../../components/BarChart.module.css';
import { brief, count } from '../../lib/numbers';
import { ticksUpTo } from '../../lib/scale';
import { clock } from '../../lib/time';
import { eventsOf, hourSpan } from './hours';
import classes from './TrafficChart.module.css';

type Hour = Schemas['TrafficHour'];

/** From the axis upwards. */
const kinds = [
  { id: 'served', label: 'Served' },
  { id: 'refusals', label: 'Refused' },
  { id: 'errors', label: 'Errors' },
] as const;

function partsOf({ requests, refusals, errors }: Hour): Record<(typeof kinds)[number]['id'], number> {
  return { served: Math.max(requests - refusals - errors, 0), refusals, errors };
}

const left = 44;
const tip = { width: 216, away: 24 };

interface TrafficChartProps {
  /** Oldest first; the last is not over. */
  hours: readonly Hour[];
}

/**
 * Requests by hour: bars of what was served, refused and went wrong. The numbers
 * are in a table beside it, and so are the links for who does not click a bar.
 */
export function TrafficChart({ hours }: TrafficChartProps) {
  const navigate = useNavigate();
  const { ref, width } = useElementSize();
  const [shown, setShown] = useState<number>();
  const slot = Math.max(width - left - edge.right, 0) / hours.length;
  const ticks = ticksUpTo(Math.max(...hours.map((hour) => hour.requests)));
  const perRequest = perUnitOf(ticks);
  const hour = shown === undefined ? undefined : hours[shown];
  return (
    <figure className={chart.figure}>
      <figcaption className={`${chart.caption} ${classes.caption}`}>
        <span>Requests per hour, local time</span>
        {kinds.map(({ id, label }) => <span key={id} className={classes.key} data-kind={id}>{label}</span>)}
      </figcaption>
      <div ref={ref} className={chart.plot} onPointerLeave={() => setShown(undefined)}>
        <svg width="100%" height={height} aria-hidden focusable="false">
          <YAxis ticks={ticks} left={left} width={width} label={brief} />
          <XAxis hours={hours} slot={slot} />
          {width > 0 && hours.map((each, i) => (
            <g key={each.hour} transform={`translate(${left + i * slot} 0)`} data-now={i === hours.length - 1 || undefined}>
              <rect
                className={`${chart.slot} ${classes.slot}`} data-shown={i === shown || undefined} width={slot} y={edge.top} height={floor - edge.top}
                onPointerEnter={() => setShown(i)} onPointerDown={() => setShown(i)}
                onClick={(event) => byMouse(event) && void navigate({ to: '/admin/audit', search: eventsOf(each) })}
              />
              <Bar hour={each} slot={slot} perRequest={perRequest} />
            </g>
          ))}
        </svg>
        {hour && shown !== undefined && (
          <Tip hour={hour} last={shown === hours.length - 1} left={besides(left + (shown + 0.5) * slot, width, tip)} />
        )}
      </div>
    </figure>
  );
}

/** A finger's tap shows the numbers; leaving the page would take them away. */
function byMouse({ nativeEvent }: MouseEvent): boolean {
  return nativeEvent instanceof PointerEvent && nativeEvent.pointerType === 'mouse';
}

// Who cannot point has the table.
function Tip({ hour, last, left }: { hour: Hour; last: boolean; left: number }) {
  const rows = [['Requests', hour.requests], ['Errors', hour.errors], ['Refused', hour.refusals]] as const;
  return (
    <div className={chart.tip} aria-hidden style={{ left, width: tip.width }}>
      <b>{hourSpan(hour)}</b>{last && <div>not over yet</div>}
      <dl className={classes.numbers}>
        {rows.map(([name, n]) => <div key={name}><dt>{name}</dt><dd>{count(n)}</dd></div>)}
      </dl>
    </div>
  );
}

/** One hour's pile. */
function Bar({ hour, slot, perRequest }: { hour: Hour; slot: number; perRequest: number }) {
  const parts = partsOf(hour);
  const gap = gapOf(slot);
  const tall = kinds.map(({ id }) => tallOf(parts[id], perRequest));
  return kinds.map(({ id }, i) => {
    const above = tall.slice(0, i + 1).reduce((sum, one) => sum + one, 0);
    return <rect key={id} className={`${chart.bar} ${classes.bar}`} data-kind={id} x={gap / 2} width={Math.max(slot - gap, 1)} y={floor - above} height={tall[i]} />;
  });
}

function XAxis({ hours, slot }: { hours: readonly Hour[]; slot: number }) {
  const every = [1, 2, 3, 4, 6, 12].find((n) => n * slot >= 56) ?? 24;
  return hours.map(({ hour }, i) => {
    const moment = new Date(hour);
    return moment.getHours() % every === 0 && (
      <g key={hour} transform={`translate(${left + i * slot} ${floor})`}>
        <line className={classes.mark} y2={4} />
        {i < hours.length - 1 && <text className={chart.label} y={17} textAnchor={i === 0 ? 'start' : 'middle'}>{clock(moment)}</text>}
      </g>
    );
  });
}
