import type { Schemas } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';

/** What was last seen of a backend, as a word. */
export function healthOf({ checked_at, healthy }: Schemas['Health']): { status: string; tone: Tone } {
  if (!checked_at) {
    return { status: 'not checked yet', tone: 'quiet' };
  }
  return healthy ? { status: 'healthy', tone: 'good' } : { status: 'unhealthy', tone: 'bad' };
}

/** A latency in milliseconds, to three figures at most. */
export function latencyText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')} ms`;
}

/**
 * A share of 0 to 1 in percent. It never rounds to all or nothing: an outage of
 * a minute is not 100 %.
 */
export function percent(share: number): string {
  if (share <= 0 || share >= 1) {
    return share <= 0 ? '0 %' : '100 %';
  }
  if (share < 0.0001) {
    return 'under 0.01 %';
  }
  const hundredths = share > 0.5 ? Math.floor(share * 10_000) : Math.ceil(share * 10_000);
  return `${(hundredths / 100).toFixed(share > 0.99 || share < 0.01 ? 2 : 1)} %`;
}

/** A count in full, as it stands in tables. */
export function count(n: number): string {
  return n.toLocaleString('en');
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** A count in brief, as it stands at an axis: "1.5K". */
export function brief(n: number): string {
  return compact.format(n);
}

/** Which day and hour it is by the reader's clock: "Sat 21 Nov, 14:00–15:00". */
export function hourSpan(hour: string): string {
  const from = new Date(hour);
  const day = from.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  return `${day}, ${clock(from)}–${clock(new Date(from.getTime() + 3_600_000))}`;
}

/** The reader's clock: "14:00". */
export function clock(moment: Date): string {
  return moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
