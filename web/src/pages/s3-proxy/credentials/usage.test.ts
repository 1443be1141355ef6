import { expect, test } from 'vitest';

import { usageText } from './usage';

const of = (requests: number) => ({ requests, reads: 0, writes: 0, errors: 0, refusals: 0, bytes_in: 0, bytes_out: 0 });

test.each([
  [0, 0, 'Not used in the last 24 hours'],
  [0, 7, 'Used 0 times in the last hour, 7 in 24 h'],
  [1, 1, 'Used 1 time in the last hour, 1 in 24 h'],
  [312, 4321, 'Used 312 times in the last hour, 4,321 in 24 h'],
  [3, 2, 'Used 3 times in the last hour, 3 in 24 h'],
])('%i in an hour and %i in a day', (hour, day, want) => {
  expect(usageText({ last_hour: of(hour), last_24h: of(day) })).toBe(want);
});
