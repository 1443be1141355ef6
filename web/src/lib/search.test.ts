import { expect, test } from 'vitest';

import { parseSearch, searchOf, stringifySearch } from './search';

test.each([
  ['', {}],
  ['?q=1', { q: '1' }],
  ['?q=%22a%22&owner=b%20c', { q: '"a"', owner: 'b c' }],
  ['?q=a&q=b', { q: 'b' }],
  ['?__proto__=x', Object.fromEntries([['__proto__', 'x']])],
])('%s is read plainly', (text, want) => {
  expect(parseSearch(text)).toEqual(want);
});

test('what is empty or no text is not written', () => {
  expect(stringifySearch({ q: '', owner: undefined, n: 3, a: 's3.proxy.', b: 'x&y' })).toBe('?a=s3.proxy.&b=x%26y');
  expect(stringifySearch({})).toBe('');
});

test('a route keeps only what it knows', () => {
  const validate = searchOf('q', 'owner');
  expect(validate({ q: 'a', owner: '', other: 'b', to: 3 })).toEqual({ q: 'a' });
});
