import { expect, test } from 'vitest';

import { brief, healthOf, latencyText, percent } from './words';

test.each([
  [0, '0 %'],
  [0.00001, 'under 0.01 %'],
  [0.0004, '0.04 %'],
  [0.021, '2.1 %'],
  [0.5, '50.0 %'],
  [0.973, '97.3 %'],
  [0.99999, '99.99 %'],
  [1, '100 %'],
])('%d is %s', (share, want) => {
  expect(percent(share)).toBe(want);
});

test('what was never looked at is neither healthy nor not', () => {
  const words = [{}, { checked_at: '2026-11-21T12:00:00Z' }].map((seen) => healthOf({ healthy: false, latency_ms: 0, ...seen }).status);
  expect(words).toEqual(['not checked yet', 'unhealthy']);
});

test('numbers in brief', () => {
  expect([latencyText(0.42), latencyText(1234.5), brief(0), brief(1500), brief(2_000_000)]).toEqual(['0.4 ms', '1,235 ms', '0', '1.5K', '2M']);
});
