import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { credentialCount, fitting, ownedOf } from './words';

function account(name: string, role: Schemas['Account']['role'], status: Schemas['Account']['status']): Schemas['Account'] {
  return { name, role, status, created_at: '', updated_at: '' };
}

const accounts = [account('ann', 'admin', 'active'), account('bob', 'user', 'disabled'), account('annika', 'user', 'active')];

test.each([
  [{}, ['ann', 'bob', 'annika']],
  [{ name: 'Ann' }, ['ann', 'annika']],
  [{ name: 'ann', role: 'user' }, ['annika']],
  [{ status: 'disabled' }, ['bob']],
  [{ role: 'readonly' }, []],
  [{ role: 'nonsense' }, []],
])('%j fits %j', (filter, want) => {
  expect(fitting(accounts, filter).map((one) => one.name)).toEqual(want);
});

test('what is revoked cannot end again', () => {
  expect(ownedOf(['active', 'disabled', 'expired', 'revoked'], false)).toEqual({ active: 1, live: 3, more: false });
});

test.each([
  [0, false, 'no credentials'], [1, false, '1 credential'], [3, false, '3 credentials'], [1000, true, 'at least 1,000 credentials'], [0, true, 'at least 0 credentials'],
])('%d (more: %s) is %s', (n, more, want) => {
  expect(credentialCount(n, more)).toBe(want);
});
