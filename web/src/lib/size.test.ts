import { expect, test } from 'vitest';

import { exactSize, size } from './size';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1536, '1.50 KiB'],
  [10_235, '10.0 KiB'],
  [1_048_575, '1.00 MiB'],
  [5 * 1024 ** 3, '5.00 GiB'],
  [123 * 1024 ** 4, '123 TiB'],
  [2 ** 60 * 2000, '2000 EiB'],
])('%i bytes are %s', (bytes, want) => {
  expect(size(bytes)).toBe(want);
});

test('the exact size is to the byte', () => {
  expect([exactSize(1), exactSize(1536)]).toEqual(['1 byte', '1,536 bytes']);
});
