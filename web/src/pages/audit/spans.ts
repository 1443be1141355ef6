import type { Schemas } from '../../api/client';

/** From the axis upwards. */
export const kinds = [
  { id: 'ok', label: 'ok' },
  { id: 'denied', label: 'denied' },
  { id: 'error', label: 'error' },
  { id: 'unknown', label: 'unknown' },
] as const;

type Kind = (typeof kinds)[number]['id'];

/** How many events lie in one stretch of time. */
export type Span = Readonly<Record<Kind, number>> & { at: Date; end: Date };

export const totalOf = (span: Span) => kinds.reduce((sum, { id }) => sum + span[id], 0);

/** All spans from the first on, those without events too, up to now where the range ends now, else to the last that has some. */
export function spansOf(histogram: Schemas['Histogram'], now: Date | undefined): Span[] {
  const step = histogram.step_seconds * 1000;
  const from = Date.parse(histogram.from);
  const known = new Map(histogram.spans.map((span) => [Date.parse(span.at), span]));
  const last = Math.max(from, now?.getTime() ?? from, ...known.keys());
  const spans: Span[] = [];
  for (let at = from; at <= last && spans.length < 200; at += step) {
    const { ok = 0, denied = 0, error = 0, unknown = 0 } = known.get(at) ?? {};
    spans.push({ at: new Date(at), end: new Date(at + step), ok, denied, error, unknown });
  }
  return spans;
}

const plain = (moment: Date) => moment.toISOString().replace('.000Z', 'Z');

/** The range of the address from the beginning of one to the end of another. */
export function bounds(first: Span, last: Span): { since: string; until: string } {
  return { since: plain(first.at), until: plain(last.end) };
}

const two = (n: number) => String(n).padStart(2, '0');

/** When a span begins, by the reader's clock, as exactly as it needs. */
export function spanLabel({ at, end }: Span, all: readonly Span[]): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const step = end.getTime() - at.getTime();
  if (step >= 86_400_000) {
    return day;
  }
  const time = `${two(at.getHours())}:${two(at.getMinutes())}${step < 60_000 ? `:${two(at.getSeconds())}` : ''}`;
  const first = all[0]?.at ?? at;
  const last = all.at(-1)?.end ?? end;
  return last.getTime() - first.getTime() > 86_400_000 ? `${day.slice(5)} ${time}` : time;
}
