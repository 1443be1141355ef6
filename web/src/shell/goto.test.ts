import { expect, test } from 'vitest';

import { destination, nothing, offered } from './goto';

test.each([
  ['', undefined],
  ['  ', undefined],
  [' AKIAIOSFODNN7EXAMPLE ', { kind: 'credential', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }],
  ['AKIAIOSFODNN7EXAMPL', { kind: 'credentials', q: 'AKIAIOSFODNN7EXAMPL' }],
  ['akiaiosfodnn7example', { kind: 'credentials', q: 'akiaiosfodnn7example' }],
  ['0198C5A0-0000-7000-8000-000000000001', { kind: 'request', requestId: '0198c5a0-0000-7000-8000-000000000001' }],
  ['4F1D2C3B4A596877', { kind: 'request', requestId: '4F1D2C3B4A596877' }],
  ['nightly backup', { kind: 'credentials', q: 'nightly backup' }],
  ['../admin', { kind: 'credentials', q: '../admin' }],
])('%j leads to %j', (text, want) => {
  expect(destination(text)).toEqual(want);
});

const names = { buckets: ['ceph/uploads', 'ceph/reports', 'local/uploads', 'local/old-reports'], accounts: ['maria', 'reports'] };

test.each([
  ['local/uploads', { kind: 'bucket', backend: 'local', bucket: 'uploads' }],
  ['old-reports', { kind: 'bucket', backend: 'local', bucket: 'old-reports' }],
  ['uploads', { kind: 'credentials', q: 'uploads' }], // which of the two is not said
  ['maria', { kind: 'account', name: 'maria' }],
  ['mari', { kind: 'credentials', q: 'mari' }],
])('%j leads to %j, which is there', (text, want) => {
  expect(destination(text, names)).toEqual(want);
});

test('names that begin with a text are offered first', () => {
  expect(offered('Report', names)).toEqual({ buckets: ['ceph/reports', 'local/old-reports'], accounts: ['reports'] });
  expect(offered(' ', names)).toEqual(nothing);
});
