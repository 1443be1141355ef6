import { expect, test } from 'vitest';

import { brief, count, percent } from './numbers';

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

test('counts in full and in brief', () => {
  expect([count(0), count(1500), brief(0), brief(1500), brief(2_000_000)]).toEqual(['0', '1,500', '0', '1.5K', '2M']);
});
