import { expect, test } from 'vitest';

import { type Binding, type Credential, usesOf } from './uses';

function credential(id: string, status: Credential['status'], ...places: [backend: string, bucket: string][]): Credential {
  return {
    access_key_id: id, status, description: '', created_by: 'admin', created_at: '', updated_at: '', quota: { inherits: true, text: '' },
    grants: places.map(([backend, bucket]) => ({ backend, bucket, permissions: ['read'] })),
  };
}

function binding(name: string, backend: string, bucket: string): Binding {
  return { name, backend, bucket, mode: 'read', rate_per_second: 0, url: '', created_by: 'admin', created_at: '' };
}

const credentials = [
  credential('both', 'active', ['one', 'a'], ['two', 'b']),
  credential('late', 'expired', ['one', 'b']),
  credential('off', 'disabled', ['one', 'a']),
  credential('gone', 'revoked', ['one', 'a']),
];
const bindings = [binding('open', 'one', 'a'), binding('other', 'two', 'a')];

test.each([
  ['a backend is named by whatever is not revoked', { backend: 'one' }, ['both', 'late', 'off', 'open']],
  ['a bucket is that of its backend', { backend: 'one', bucket: 'a' }, ['both', 'off', 'open']],
  ['a bucket of the same name elsewhere does not count', { backend: 'two', bucket: 'a' }, ['other']],
  ['what nothing names is free', { backend: 'three' }, []],
])('%s', (_, place, want) => {
  const uses = usesOf(place, credentials, bindings);
  expect([...uses.credentials.map((one) => one.access_key_id), ...uses.bindings.map((one) => one.name)]).toEqual(want);
});
