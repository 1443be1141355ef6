import { expect, test } from 'vitest';

import { ticksUpTo } from './scale';

test.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [3, [0, 1, 2, 3]],
  [5, [0, 2, 4, 6]],
  [17, [0, 5, 10, 15, 20]],
  [100, [0, 50, 100]],
  [321, [0, 100, 200, 300, 400]],
  [4_000_000, [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]],
])('an axis up to %i', (max, want) => {
  expect(ticksUpTo(max)).toEqual(want);
});
