import { expect, test } from 'vitest';

import { aliasSentence, draftOf, type Grant, grantOf, meantPrefix, newDraft, plain, prefixExample, scopeSentence } from './scope';

const grant = (over: Partial<Grant>): Grant => ({ backend: 'prod', bucket: 'reports', permissions: ['read', 'list'], ...over });

test.each<[string, Grant[], string]>([
  ['none', [], 'May do nothing.'],
  ['no bucket chosen yet', [grant({ bucket: '' })], 'May do nothing.'],
  ['no permission', [grant({ permissions: [] })], 'May do nothing.'],
  ['a prefix', [grant({ prefix: '2026/' })], 'May read and list reports/2026/ on prod; may do nothing else.'],
  ['a whole bucket', [grant({ permissions: ['read'] })], 'May read all of reports on prod; may do nothing else.'],
  ['everything common', [grant({ permissions: ['delete', 'write', 'list', 'read'] })], 'May read, list, write and delete all of reports on prod; may do nothing else.'],
  ['an alias', [grant({ alias: 'r' })], 'May read and list all of reports on prod under the name r; may do nothing else.'],
  ['two', [grant({}), grant({ backend: 'dev', bucket: 'in', permissions: ['write'] })], 'May read and list all of reports on prod; may write all of in on dev; may do nothing else.'],
  ['something rare', [grant({ permissions: ['read', 'acl'] })], 'May read all of reports on prod and change ACLs there; may do nothing else.'],
  ['only rare ones', [grant({ permissions: ['acl', 'bypass-governance'] })], 'May change ACLs and bypass governance locks in all of reports on prod; may do nothing else.'],
])('the sentence of %s', (_, grants, want) => {
  expect(plain(scopeSentence(grants))).toBe(want);
});

test('names are set apart from words', () => {
  expect(scopeSentence([grant({ prefix: 'all of/' })]).filter((segment) => segment.as)).toEqual([
    { text: 'reports/all of/', as: 'code' },
    { text: 'prod', as: 'strong' },
  ]);
});

test.each<[string, Grant, string]>([
  ['a bucket', grant({ alias: 'r' }), 'The client sees r, which is reports on prod'],
  ['a prefix', grant({ bucket: 'shared', prefix: 'team-a/', alias: 'team-a' }), 'The client sees team-a, which is shared/team-a/ on prod'],
  ['nothing without an alias', grant({ prefix: 'team-a/' }), ''],
  ['nothing without a bucket', grant({ bucket: '', alias: 'r' }), ''],
])('an alias shows %s', (_, shown, want) => {
  expect(plain(aliasSentence(shown))).toBe(want);
});

test.each([
  ['', false, ''],
  ['', true, ''],
  ['2026', false, '2026/'],
  ['2026/', false, '2026/'],
  ['2026', true, '2026'],
  ['a b', false, 'a b/'],
])('prefix %j, exact %s, means %j', (prefix, exact, want) => {
  expect(meantPrefix({ prefix, exact })).toBe(want);
});

test.each<Grant>([
  grant({}),
  grant({ prefix: '2026/', alias: 'r' }),
  grant({ prefix: '2026' }),
  grant({ permissions: ['read', 'write', 'acl', 'bypass-governance'] }),
])('%j comes out of the editor as it went in', (before) => {
  expect(grantOf(draftOf(before, 1))).toEqual(before);
});

test('a row that is not filled in names no bucket', () => {
  expect(grantOf(newDraft(1))).toEqual({ backend: '', bucket: '', permissions: ['read', 'list'] });
});

test('permissions have one order, blank aliases are none', () => {
  expect(grantOf({ ...newDraft(1), place: 'prod/reports', permissions: ['delete', 'read'], alias: '  ' })).toEqual(
    grant({ permissions: ['read', 'delete'] }),
  );
});

test.each(['2026/', '2026', 'a', 'x', 'o', 'a/b/', '/'])('the examples of prefix %j are true', (prefix) => {
  const { matches, misses } = prefixExample(prefix);
  expect(matches.startsWith(prefix)).toBe(true);
  expect(misses.startsWith(prefix)).toBe(false);
});
