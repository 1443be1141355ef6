import { expect, test } from 'vitest';

import type { Member, Project } from '../../api/projects';
import { fitting, lessened, manages, placeLabel, placeOf } from './words';

function member(over: Partial<Member>): Member {
  return { account: 'ann', account_role: 'user', account_status: 'active', role: 'member', permissions: [], access: 'read', added_at: '', ...over };
}

test.each([
  [{}, 'member', 'Member'],
  [{ permissions: ['rgw:write'] }, 'writer', 'Member who may write'],
  [{ role: 'owner' }, 'owner', 'Owner'],
] as const)('%j is a %s', (over, place, label) => {
  expect(placeOf(member(over as Partial<Member>))).toBe(place);
  expect(placeLabel(member(over as Partial<Member>))).toBe(label);
});

test.each([
  ['one that may what its place says', {}, false],
  ['a readonly member, who would not change anything anyway', { account_role: 'readonly' }, false],
  ['a readonly owner', { account_role: 'readonly', role: 'owner' }, true],
  ['a readonly writer', { account_role: 'readonly', permissions: ['rgw:write'] }, true],
  ['a disabled account', { account_status: 'disabled', access: 'none' }, true],
  ['an admin', { account_role: 'admin', access: 'admin' }, false],
] as const)('%s: %j', (_, over, less) => {
  expect(lessened(member(over as Partial<Member>)) !== undefined).toBe(less);
});

test('owners and admins manage a project', () => {
  expect((['read', 'write', 'owner', 'admin'] as const).filter((access) => manages({ access }))).toEqual(['owner', 'admin']);
});

test('projects are found by name in any case, and by owner', () => {
  const project = (name: string, owners: string[]): Project => ({ id: name, name, owners, access: 'read', members: 1, created_at: '', updated_at: '' });
  const all = [project('Data platform', ['ann']), project('Web', ['bob'])];
  const names = (q?: string) => fitting(all, q).map(({ name }) => name);
  expect([names(), names('DATA'), names('bob'), names('nothing')]).toEqual([['Data platform', 'Web'], ['Data platform'], ['Web'], []]);
});
