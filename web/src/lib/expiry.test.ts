import { expect, test } from 'vitest';

import { expiryBody, expiryFault } from './expiry';

test('each choice is said in its way', () => {
  expect(expiryBody({ choice: 'keep', date: '' })).toEqual({});
  expect(expiryBody({ choice: 'never', date: '' })).toEqual({ expires_at: null });
  expect(expiryBody({ choice: '30d', date: '2030-01-01T00:00' })).toEqual({ expires_in: '30d' });
  const local = '2030-06-01T12:00';
  expect(expiryBody({ choice: 'date', date: local })).toEqual({ expires_at: new Date(local).toISOString() });
});

const now = new Date('2026-11-21T12:00:00Z');

test.each([
  ['never', '', undefined],
  ['30d', 'nonsense', undefined],
  ['date', '2026-11-23T12:00', undefined],
  ['date', '', 'Choose a date and time'],
  ['date', '2026-11-19T12:00', 'The expiry must lie in the future'],
])('%s at %j', (choice, date, want) => {
  expect(expiryFault({ choice, date }, now)).toBe(want);
});
