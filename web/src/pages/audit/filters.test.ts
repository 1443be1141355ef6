import { expect, test } from 'vitest';

import { exportAddress } from './filters';

const now = new Date('2026-11-21T12:00:00Z');

test.each([
  [{}, '/api/audit.csv'],
  [{ key: 'a b&c=ü', result: 'denied' }, '/api/audit.csv?key=a+b%26c%3D%C3%BC&result=denied'],
  [{ since: '24h' }, '/api/audit.csv?since=2026-11-20T12%3A00%3A00.000Z'],
])('the file of %j is %s', (search, want) => {
  expect(exportAddress(search, now, 'csv')).toBe(want);
});

test('lines of JSON have an address of their own, in the words of OCSF too', () => {
  expect(exportAddress({ q: 'a b' }, now, 'jsonl')).toBe('/api/audit.jsonl?q=a+b');
  expect(exportAddress({}, now, 'ocsf')).toBe('/api/audit.jsonl?schema=ocsf');
});
