import { useEffect, useState } from 'react';

import type { Event } from './events';
import { type AuditSearch, toQuery } from './filters';
import { keptRows, withLive } from './live';

/** How often what came is shown, in milliseconds. */
const every = 250;

export interface Live {
  /** What came since it was switched on, newest first, as far as it is kept. */
  rows: readonly Event[];
  /** Why it ended by itself. */
  ended?: string;
}

const nothing: Live = { rows: [] };

/** Follows the trail in the run of that number; 0 follows nothing. */
export function useLive(search: AuditSearch, run: number): Live {
  const key = JSON.stringify([run, search]);
  const [state, setState] = useState({ key: '', live: nothing });
  useEffect(() => {
    if (run === 0) {
      return;
    }
    const change = (next: (live: Live) => Live) => {
      setState((before) => ({ key, live: next(before.key === key ? before.live : nothing) }));
    };
    const [, asked] = JSON.parse(key) as [number, AuditSearch];
    const stream = new EventSource(`/api/audit/tail?${new URLSearchParams(toQuery(asked, new Date())).toString()}`);
    let came: Event[] = [];
    stream.addEventListener('audit', ({ data }: MessageEvent<string>) => {
      came = [...came, JSON.parse(data) as Event].slice(-keptRows);
    });
    stream.addEventListener('end', ({ data }: MessageEvent<string>) => {
      stream.close();
      change((live) => ({ ...live, ended: (JSON.parse(data) as { message: string }).message }));
    });
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) {
        change((live) => ({ ...live, ended: 'the server does not answer' }));
      }
    });
    const timer = setInterval(() => {
      const shown = came;
      if (shown.length > 0) {
        came = [];
        change((live) => ({ ...live, rows: withLive(live.rows, shown) }));
      }
    }, every);
    return () => {
      stream.close();
      clearInterval(timer);
    };
  }, [run, key]);
  return state.key === key && run > 0 ? state.live : nothing;
}
