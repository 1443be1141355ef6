import { expect, test } from 'vitest';

import { together, usageText } from './usage';

const used = (hour: number, day: number) => ({ last_hour: { requests: hour }, last_24h: { requests: day } });

test.each([
  [0, 0, 'Not used in the last 24 hours'],
  [0, 7, 'Used 0 times in the last hour, 7 in 24 h'],
  [1, 1, 'Used 1 time in the last hour, 1 in 24 h'],
  [312, 4321, 'Used 312 times in the last hour, 4,321 in 24 h'],
  [3, 2, 'Used 3 times in the last hour, 3 in 24 h'],
])('%i in an hour and %i in a day', (hour, day, want) => {
  expect(usageText(used(hour, day))).toBe(want);
});

test('several keys add up, and only when all are known', () => {
  expect(together([used(1, 5), used(3, 2), used(0, 0)])).toEqual(used(4, 8));
  expect(together([used(1, 5), undefined])).toBeUndefined();
});
