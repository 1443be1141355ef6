import { expect, test } from 'vitest';

import { accessChoices, folderAbove, folders, paceOf, progressOf, quotaText, statusOf, toGiB, toKiB, usedShare } from './words';

test.each([
  [{ state: 'live', status: 'active' }, 'active'],
  [{ state: 'live', status: 'disabled' }, 'disabled'],
  [{ state: 'deleting', status: 'disabled' }, 'being deleted'],
  [{ state: 'creating', status: 'active' }, 'being made'],
] as const)('%j is %s', (user, want) => {
  expect(statusOf(user).status).toBe(want);
});

test.each([
  [524288000, true, '500 GiB'], [-1, true, 'unlimited'], [-1, false, 'unlimited'], [1024, false, '1.00 MiB, not enforced'], [0, true, '0 B'],
])('a quota of %d KiB (enforced: %s) is "%s"', (max_size_kb, enabled, want) => {
  expect(quotaText({ max_size_kb, enabled })).toBe(want);
});

test.each([
  ['half', 50, 100, true, 0.5],
  ['more than all is all', 200, 100, true, 1],
  ['of nothing, all is used', 0, 0, true, 1],
  ['nothing is known', null, 100, true, undefined],
  ['not enforced', 50, 100, false, undefined],
  ['unlimited', 50, -1, true, undefined],
])('used share: %s', (_, used, max_size_kb, enabled, want) => {
  expect(usedShare(used, { max_size_kb, enabled })).toBe(want);
});

test('a size in GiB and back, an empty field for no bound', () => {
  expect([toGiB(524288000), toGiB(-1), toKiB(500), toKiB(''), toKiB(0.5)]).toEqual([500, '', 524288000, -1, 524288]);
});

test('progress is by buckets, and whole when done', () => {
  expect([
    progressOf({ state: 'running', buckets: 4, buckets_left: 3 }), progressOf({ state: 'running', buckets: 0, buckets_left: 0 }),
    progressOf({ state: 'done', buckets: 0, buckets_left: 0 }),
  ]).toEqual([0.25, 0, 1]);
});

test('folders of a prefix', () => {
  expect(folders('a/b/c')).toEqual([{ name: 'a', prefix: 'a/' }, { name: 'b', prefix: 'a/b/' }]);
  expect(folders('')).toEqual([]);
  expect(folders('/x/')).toEqual([{ name: '', prefix: '/' }, { name: 'x', prefix: '/x/' }]);
  expect(['a/b/', 'a/b', 'a/', ''].map(folderAbove)).toEqual(['a/', 'a/', '', '']);
});

test('public-read opens reads where the gateway is the home, and the listing alone at a Ceph', () => {
  expect(accessChoices({}).map(({ value, means }) => [value, means])).toEqual([['private', 'Its owner alone'], ['public-read', 'Everybody reads and lists']]);
  const ceph = accessChoices({ uid: 'ks-1' });
  expect(ceph.map(({ value }) => value)).toEqual(['private', 'public-read', 'public-read-write', 'authenticated-read']);
  expect(ceph.some(({ means }) => means.includes('reads'))).toBe(false);
});

test.each([
  ['it has just begun', null, null, ''],
  ['nobody has counted the objects', 100, null, '100 objects a second'],
  ['seconds', 99.6, 30, '100 objects a second, about 30 s left'],
  ['minutes', 0.2, 540, '0 objects a second, about 9 min left'],
  ['hours', 1, 9990, '1 object a second, about 3 h left'],
  ['none are left', 100, 0, '100 objects a second, about 0 s left'],
])('the pace of a deletion: %s', (_, objects_per_second, seconds_left, want) => {
  expect(paceOf({ objects_per_second, seconds_left })).toBe(want);
});
