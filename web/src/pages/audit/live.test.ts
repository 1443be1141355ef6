import { expect, test } from 'vitest';

import type { Event } from './events';
import { keptRows, withLive } from './live';

const event = (id: string, result: Event['result'] = 'ok'): Event => ({
  id, result, time: '2026-11-25T12:00:00Z', action: 'a', status: 200, request_id: 'r', detail: { authenticated: true },
});

test('what came stands first, the last of it at the top', () => {
  expect(withLive([event('1')], [event('2'), event('3')]).map(({ id }) => id)).toEqual(['3', '2', '1']);
});

test('an outcome replaces the event where it stands', () => {
  const rows = withLive([event('2'), event('1', 'unknown')], [event('1', 'denied')]);
  expect(rows.map(({ id, result }) => `${id} ${result}`)).toEqual(['2 ok', '1 denied']);
});

test('one that came twice stands there once, as it came last', () => {
  expect(withLive([], [event('1', 'unknown'), event('1')]).map(({ result }) => result)).toEqual(['ok']);
});

test('rows are bounded', () => {
  const many = Array.from({ length: keptRows + 50 }, (_, i) => event(String(i)));
  expect(withLive([event('old')], many)).toHaveLength(keptRows);
});
