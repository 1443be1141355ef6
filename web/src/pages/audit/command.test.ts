import { expect, test } from 'vitest';

import { auditCommand } from './command';

test.each([
  [{}, 'keystile audit list'],
  [{ action: 's3.proxy.', result: 'denied', since: '24h' }, 'keystile audit list --action s3.proxy. --result denied --since 24h'],
  [{ access_key_id: 'AKIAIOSFODNN7EXAMPLE', until: '2026-11-21T12:00:00Z' }, 'keystile audit list --access-key-id AKIAIOSFODNN7EXAMPLE --until 2026-11-21T12:00:00Z'],
  [{ key: 'a b/$(reboot)' }, "keystile audit list --key 'a b/$(reboot)'"],
  [{ key: "it's" }, "keystile audit list --key 'it'\\''s'"],
  [{ key: '--result' }, 'keystile audit list --key=--result'],
  [{ key: '~/x' }, "keystile audit list --key '~/x'"],
  [{ key: 'é\n' }, "keystile audit list --key 'é\n'"],
])('%j is listed by a command', (search, want) => {
  expect(auditCommand(search)).toBe(want);
});
