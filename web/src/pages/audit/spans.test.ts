import { expect, test } from 'vitest';

import { bounds, spansOf, totalOf } from './spans';

const histogram = {
  from: '2026-11-25T10:00:00Z', step_seconds: 900, complete: true,
  spans: [
    { at: '2026-11-25T10:15:00Z', ok: 3, denied: 1, error: 0, unknown: 0 },
    { at: '2026-11-25T10:45:00Z', ok: 1, denied: 0, error: 2, unknown: 0 },
  ],
};

test('spans without events are there too, up to now', () => {
  const spans = spansOf(histogram, new Date('2026-11-25T11:05:00Z'));
  expect(spans.map(totalOf)).toEqual([0, 4, 0, 3, 0]);
  expect(spansOf(histogram, undefined)).toHaveLength(4);
});

test('what is brushed goes from the beginning of the first to the end of the last', () => {
  const [, first, , last] = spansOf(histogram, undefined);
  expect(first && last && bounds(first, last)).toEqual({ since: '2026-11-25T10:15:00Z', until: '2026-11-25T11:00:00Z' });
});

test('a range that would have too many spans is cut', () => {
  expect(spansOf(histogram, new Date('2036-01-01T00:00:00Z'))).toHaveLength(200);
});
