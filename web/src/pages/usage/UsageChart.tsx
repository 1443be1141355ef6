import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';

import { besides, edge, floor, gapOf, height, perUnitOf, tallOf, YAxis } from '../../components/BarChart';
import classes from '../../components/BarChart.module.css';
import { brief, count } from '../../lib/numbers';
import { ticksUpTo } from '../../lib/scale';
import { exactSize, size } from '../../lib/size';
import { type Measure, type UsageDay } from './usage';

const left = 60;
const tip = { width: 200, away: 16 };

interface UsageChartProps {
  /** Oldest first; the last is not over. */
  days: readonly UsageDay[];
  measure: Measure;
}

/** One measure by day, as bars. The numbers are in a table beside it. */
export function UsageChart({ days, measure }: UsageChartProps) {
  const { ref, width } = useElementSize();
  const [shown, setShown] = useState<number>();
  const slot = Math.max(width - left - edge.right, 0) / days.length;
  const ticks = ticksOf(Math.max(...days.map((day) => measure.of(day) ?? 0)), measure.bytes);
  const perUnit = perUnitOf(ticks);
  const gap = gapOf(slot);
  const day = shown === undefined ? undefined : days[shown];
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>{measure.label} per day (UTC)</figcaption>
      <div ref={ref} className={classes.plot} onPointerLeave={() => setShown(undefined)}>
        <svg width="100%" height={height} aria-hidden focusable="false">
          <YAxis ticks={ticks} left={left} width={width} label={measure.bytes ? tickSize : brief} />
          {width > 0 && days.map((each, i) => {
            const tall = tallOf(measure.of(each) ?? 0, perUnit);
            return (
              <g key={each.day} transform={`translate(${left + i * slot} 0)`} data-now={i === days.length - 1 || undefined}>
                <rect className={classes.slot} data-shown={i === shown || undefined} width={slot} y={edge.top} height={floor - edge.top} onPointerEnter={() => setShown(i)} onPointerDown={() => setShown(i)} />
                <rect className={classes.bar} x={gap / 2} width={Math.max(slot - gap, 1)} y={floor - tall} height={tall} />
                {labelled(i, days.length, slot) && <text className={classes.label} x={slot / 2} y={height - 5} textAnchor="middle">{shortDay(each.day)}</text>}
              </g>
            );
          })}
        </svg>
        {day && shown !== undefined && <Tip day={day} measure={measure} last={shown === days.length - 1} left={besides(left + (shown + 0.5) * slot, width, tip)} />}
      </div>
    </figure>
  );
}

/** Sizes have round numbers of a binary unit at their axis. */
function ticksOf(max: number, bytes: boolean): number[] {
  const unit = bytes && max > 0 ? 1024 ** Math.floor(Math.log(max) / Math.log(1024)) : 1;
  return ticksUpTo(Math.ceil(max / unit)).map((tick) => tick * unit);
}

function tickSize(n: number): string {
  return n === 0 ? '0' : size(n).replace(/\.0+ /, ' ');
}

/** Days are labelled where there is room, the last one always left to the tip. */
function labelled(i: number, all: number, slot: number): boolean {
  const every = [1, 2, 5, 7, 14, 30, 60].find((n) => n * slot >= 56) ?? 90;
  return i % every === 0 && (all - i) * slot >= 28;
}

const dayForm = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function shortDay(day: string): string {
  return dayForm.format(new Date(day));
}

// Who cannot point has the table.
function Tip({ day, measure, last, left }: { day: UsageDay; measure: Measure; last: boolean; left: number }) {
  const value = measure.of(day);
  return (
    <div className={classes.tip} aria-hidden style={{ left, width: tip.width }}>
      <b>{shortDay(day.day)}</b>{last && <div>not over yet</div>}
      <div>{value === undefined ? 'not known' : measure.bytes ? `${size(value)} (${exactSize(value)})` : count(value)}</div>
    </div>
  );
}
