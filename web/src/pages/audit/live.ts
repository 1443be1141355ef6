import type { Event } from './events';

/** How many events are kept at most while following. */
export const keptRows = 500;

/** Puts what came before what is there, the newest first; one that is there already is replaced where it stands. */
export function withLive(rows: readonly Event[], came: readonly Event[]): Event[] {
  const newer = new Map(came.map((event) => [event.id, event]));
  const known = new Set(rows.map(({ id }) => id));
  const fresh = [...newer.values()].filter(({ id }) => !known.has(id)).reverse();
  return [...fresh, ...rows.map((event) => newer.get(event.id) ?? event)].slice(0, keptRows);
}
