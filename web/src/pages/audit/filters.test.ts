import { expect, test } from 'vitest';

import { csvAddress } from './filters';

const now = new Date('2026-11-21T12:00:00Z');

test.each([
  [{}, '/api/audit.csv'],
  [{ key: 'a b&c=ü', result: 'denied' }, '/api/audit.csv?key=a+b%26c%3D%C3%BC&result=denied'],
  [{ since: '24h' }, '/api/audit.csv?since=2026-11-20T12%3A00%3A00.000Z'],
])('the file of %j is %s', (search, want) => {
  expect(csvAddress(search, now)).toBe(want);
});
