import { expect, test } from 'vitest';

import { safeReturn } from './return';

test.each(['/admin', '/admin/s3-proxy', '/admin/audit?action=s3.proxy.&result=denied', '/admin#main'])('%s is a way back', (to) => {
  expect(safeReturn(to)).toBe(to);
});

test.each([
  undefined, 3, '', '/', '//evil.test', '//evil.test/admin', 'https://evil.test/admin', '/administrator', '/\\evil.test', '/admin\\..\\evil',
  'javascript:alert(1)', '/api/docs', ' /admin',
])('%j is none', (to) => {
  expect(safeReturn(to)).toBeUndefined();
});
