import { expect, test } from 'vitest';

import { toQuery } from './filters';
import { fieldValue, fromField, momentOf, rangeLabel } from './range';

const now = new Date('2026-11-21T12:00:00Z');

test.each([
  ['15m', '2026-11-21T11:45:00.000Z'],
  ['24h', '2026-11-20T12:00:00.000Z'],
  ['7d', '2026-11-14T12:00:00.000Z'],
  ['2026-11-21T00:00:00Z', '2026-11-21T00:00:00Z'],
  ['yesterday', 'yesterday'],
  ['9999999d', '9999999d'],
  ['-1h', '-1h'],
])('%s is asked for as %s', (text, want) => {
  expect(momentOf(text, now)).toBe(want);
});

test.each([
  [undefined, undefined, 'Any time'],
  ['24h', undefined, 'Last 24 hours'],
  ['3h', undefined, 'Since 3h ago'],
  ['7d', '1h', '7d ago to 1h ago'],
  ['nonsense', undefined, 'Since nonsense'],
])('from %s to %s is said as %s', (since, until, want) => {
  expect(rangeLabel(since, until)).toBe(want);
});

test('a moment goes into a field and comes out the same', () => {
  expect(fromField(fieldValue(now))).toBe('2026-11-21T12:00:00Z');
  expect(fromField('')).toBeUndefined();
});

test('only what is set is asked for', () => {
  expect(toQuery({ action: 's3.', result: 'ok', since: '1h' }, now)).toEqual({ action: 's3.', result: 'ok', since: '2026-11-21T11:00:00.000Z' });
  expect(toQuery({}, now)).toEqual({});
});
