import { expect, test } from 'vitest';

import { healthOf, latencyText, spansOf } from './health';

test.each([
  [{ healthy: false, latency_ms: 0 }, 'not checked yet'],
  [{ healthy: true, latency_ms: 0 }, 'not checked yet'],
  [{ healthy: true, latency_ms: 3, checked_at: '2026-11-21T12:00:00Z' }, 'healthy'],
  [{ healthy: false, latency_ms: 3, checked_at: '2026-11-21T12:00:00Z' }, 'unhealthy'],
  [{ healthy: false, latency_ms: 3, checked_at: '2026-11-21T12:00:00Z', circuit: 'open' as const }, 'cut off'],
])('%j is %s', (health, want) => {
  expect(healthOf(health).status).toBe(want);
});

test.each([[0.04, '0.0 ms'], [0.42, '0.4 ms'], [3.25, '3.3 ms'], [42.4, '42 ms'], [12345, '12,345 ms']])('%d ms are told as %s', (ms, want) => {
  expect(latencyText(ms)).toBe(want);
});

const noon = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
const seen = (after: number, healthy: boolean, latency = 1) => ({ at: new Date(noon + after * minute).toISOString(), healthy, latency_ms: latency });

test.each([
  ['nothing is known without a look', [], [['unknown', 0, 60]]],
  ['looks that follow each other are one time', [seen(0, true), seen(5, true), seen(10, true)], [['healthy', 0, 17], ['unknown', 17, 60]]],
  ['a change ends what was', [seen(0, true), seen(3, false), seen(6, true)], [['healthy', 0, 3], ['unhealthy', 3, 6], ['healthy', 6, 13], ['unknown', 13, 60]]],
  ['where none follows, nobody was looking', [seen(0, true), seen(30, true)], [['healthy', 0, 7], ['unknown', 7, 30], ['healthy', 30, 37], ['unknown', 37, 60]]],
  ['a look before the beginning reaches into it', [seen(-5, false)], [['unhealthy', 0, 2], ['unknown', 2, 60]]],
  ['the last look holds no longer than until now', [seen(58, true)], [['unknown', 0, 58], ['healthy', 58, 60]]],
])('%s', (_, samples, want) => {
  const spans = spansOf(samples, noon, noon + 60 * minute);
  expect(spans.map(({ state, from, to }) => [state, (from - noon) / minute, (to - noon) / minute])).toEqual(want);
});

test('a time tells of its slowest look', () => {
  expect(spansOf([seen(0, true, 3), seen(5, true, 40), seen(10, true, 2)], noon, noon + 17 * minute)[0]?.slowest).toBe(40);
});
