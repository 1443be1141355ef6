import type { Schemas } from '../api/client';
import type { Tone } from '../components/StatusBadge';

/** What was last seen of a backend, as a word. */
export function healthOf({ checked_at, healthy, circuit }: Schemas['Health']): { status: string; tone: Tone } {
  if (!checked_at) {
    return { status: 'not checked yet', tone: 'quiet' };
  }
  if (circuit === 'open') {
    return { status: 'cut off', tone: 'bad' };
  }
  return healthy ? { status: 'healthy', tone: 'good' } : { status: 'unhealthy', tone: 'bad' };
}

/** A latency in milliseconds, to three figures at most. */
export function latencyText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')} ms`;
}

type Sample = Schemas['HealthSample'];

/** A time in which a backend was alike, in milliseconds of the epoch. */
export interface Span {
  from: number;
  to: number;
  /** Unknown: nobody was looking. */
  state: 'healthy' | 'unhealthy' | 'unknown';
  /** Why it was unhealthy, as it was first seen. */
  message: string;
  /** The slowest of the looks; undefined: there was none. */
  slowest: number | undefined;
}

/** For how long a look holds where none follows: as long as the server's share of uptime has it. */
export const holds = 7 * 60_000;

/** The times between two moments, oldest first and without gaps, from samples in their order. */
export function spansOf(samples: readonly Sample[], from: number, to: number): Span[] {
  const spans: Span[] = [];
  const put = (begin: number, end: number, state: Span['state'], sample?: Sample) => {
    const [start, stop] = [Math.max(begin, from), Math.min(end, to)];
    if (start >= stop) {
      return;
    }
    const last = spans.at(-1);
    const slowest = sample?.latency_ms;
    if (last?.state === state) {
      last.to = stop;
      last.slowest = slowest === undefined ? last.slowest : Math.max(last.slowest ?? 0, slowest);
      return;
    }
    spans.push({ from: start, to: stop, state, message: sample?.message ?? '', slowest });
  };
  let seen = from;
  for (const [i, sample] of samples.entries()) {
    const at = Date.parse(sample.at);
    const next = samples[i + 1];
    const end = Math.min(at + holds, next ? Date.parse(next.at) : to);
    put(seen, at, 'unknown');
    put(at, end, sample.healthy ? 'healthy' : 'unhealthy', sample);
    seen = Math.max(seen, end);
  }
  put(seen, to, 'unknown');
  return spans;
}
