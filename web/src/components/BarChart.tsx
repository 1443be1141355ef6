import classes from './BarChart.module.css';

/** The height of a chart, in pixels. */
export const height = 176;

/** Room around the bars, in pixels; what is left of them depends on their numbers. */
export const edge = { top: 8, right: 4, bottom: 22 };

/** Where bars stand. */
export const floor = height - edge.bottom;

/** How wide the gap between two bars is. */
export const gapOf = (slot: number) => Math.min(slot * 0.2, 4);

/** How tall a bar is: what happened is seen, however little beside the rest. */
export const tallOf = (n: number, perUnit: number) => (n > 0 ? Math.max(n * perUnit, 2) : 0);

/** How much a pixel-high unit is, of an axis with these ticks. */
export const perUnitOf = (ticks: readonly number[]) => (floor - edge.top) / (ticks.at(-1) ?? 1);

interface YAxisProps {
  ticks: readonly number[];
  left: number;
  width: number;
  label: (tick: number) => string;
}

export function YAxis({ ticks, left, width, label }: YAxisProps) {
  return ticks.map((tick) => (
    <g key={tick} transform={`translate(0 ${floor - tick * perUnitOf(ticks)})`}>
      <line className={classes.line} x1={left} x2={Math.max(width - edge.right, left)} />
      <text className={classes.label} x={left - 6} dy="0.35em" textAnchor="end">{label(tick)}</text>
    </g>
  ));
}

/** Where a tip stands: away from the bar that it tells of, within the plot. */
export function besides(x: number, width: number, tip: { width: number; away: number }): number {
  const left = x * 2 > width ? x - tip.width - tip.away : x + tip.away;
  return Math.max(0, Math.min(left, width - tip.width));
}
