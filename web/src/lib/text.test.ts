import { expect, test } from 'vitest';

import { counted, middle, sentenceList, visible } from './text';
import { relative, utc, utcPrecise } from './time';

test.each([
  ['AKIAIOSFODNN7EXAMPLE', 20, 'AKIAIOSFODNN7EXAMPLE'],
  ['AKIAIOSFODNN7EXAMPLE', 11, 'AKIAI…AMPLE'],
  ['AKIAIOSFODNN7EXAMPLE', 12, 'AKIAIO…AMPLE'],
  ['ab', 1, '…'],
  ['', 5, ''],
  ['🔑🔑🔑🔑🔑', 3, '🔑…🔑'],
])('the middle of %s is left out beyond %i', (text, max, want) => {
  expect(middle(text, max)).toBe(want);
});

test.each([
  [[], ''],
  [['read'], 'read'],
  [['read', 'list'], 'read and list'],
  [['read', 'list', 'write'], 'read, list and write'],
])('%j is joined', (words, want) => {
  expect(sentenceList(words)).toBe(want);
});

test('counts have their noun', () => {
  expect([counted(0, 'key'), counted(1, 'key'), counted(1234, 'key')]).toEqual(['0 keys', '1 key', '1,234 keys']);
});

test.each([
  ['reports/2026/a b.csv', 'reports/2026/a b.csv'],
  ['a\nb\u0000', 'a\\u{a}b\\u{0}'],
  ['cod\u202egpj.exe', 'cod\\u{202e}gpj.exe'],
  ['a\u200bb', 'a\\u{200b}b'],
  ['naïve 🔑', 'naïve 🔑'],
  ['<script>alert(1)</script>', '<script>alert(1)</script>'],
])('what hides in %j is seen', (text, want) => {
  expect(visible(text)).toBe(want);
});

const now = new Date('2026-11-21T12:00:00Z');

test.each([
  ['2026-11-21T11:59:55Z', 'now'],
  ['2026-11-21T11:59:30Z', '30 seconds ago'],
  ['2026-11-21T11:00:40Z', '59 minutes ago'],
  ['2026-11-21T11:00:01Z', '1 hour ago'],
  ['2026-11-21T14:00:00Z', 'in 2 hours'],
  ['2026-11-22T11:59:58Z', 'in 24 hours'],
  ['2026-11-19T11:59:00Z', '2 days ago'],
  ['2026-12-21T11:59:59Z', 'in 30 days'],
  ['2027-02-19T11:59:59Z', 'in 3 months'],
  ['2024-11-20T12:00:00Z', '2 years ago'],
])('%s is %s', (moment, want) => {
  expect(relative(new Date(moment), now)).toBe(want);
});

test('UTC is exact', () => {
  expect(utc(new Date('2026-11-21T12:00:03.9Z'))).toBe('2026-11-21 12:00:03 UTC');
});

test('UTC is exact to the millisecond where it should be', () => {
  expect(utcPrecise(new Date('2026-11-21T12:00:03.009Z'))).toBe('2026-11-21 12:00:03.009 UTC');
});
