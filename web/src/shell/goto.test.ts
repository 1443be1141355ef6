import { expect, test } from 'vitest';

import { destination } from './goto';

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
