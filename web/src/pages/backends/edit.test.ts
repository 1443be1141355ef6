import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { changesOf, fieldsOf, needsAdminSecret, needsSecret } from './edit';

const backend: Schemas['Backend'] = {
  id: 'ceph-1', kind: 's3', endpoint: 'https://s3.example.com', region: 'us-east-1', path_style: true, access_key_id: 'AK',
  source: 'store', keeps_keys: true, force_hashing: false, abilities: [], health: { healthy: true, latency_ms: 1 },
};
const same = fieldsOf(backend);

test.each([
  ['nothing', same, {}, false],
  ['blanks around', { ...same, endpoint: ' https://s3.example.com ' }, {}, false],
  ['the region', { ...same, region: 'eu-1' }, { region: 'eu-1' }, false],
  ['the addressing', { ...same, pathStyle: false }, { path_style: false }, false],
  ['hashing', { ...same, forceHashing: true }, { force_hashing: true }, false],
  ['the scratch place', { ...same, scratch: ' b/p ' }, { scratch: 'b/p' }, false],
  ['the endpoint', { ...same, endpoint: 'https://b.example.com' }, { endpoint: 'https://b.example.com' }, true],
  ['the access key', { ...same, accessKeyId: 'AK2' }, { access_key_id: 'AK2' }, true],
])('changing %s', (_, fields, want, asks) => {
  const changes = changesOf(backend, fields);
  expect(changes).toEqual(want);
  expect(needsSecret(changes)).toBe(asks);
});

const ceph: Schemas['Backend'] = { ...backend, kind: 'ceph-rgw', admin_access_key_id: 'OPS' };
const apart: Schemas['Backend'] = { ...ceph, admin_endpoint: 'https://ops.example.com' };

test.each<[string, Schemas['Backend'], Partial<ReturnType<typeof fieldsOf>>, object, boolean]>([
  ['nothing', ceph, {}, {}, false],
  ['the endpoint where the Admin Ops API is too', ceph, { endpoint: 'https://b.example.com' }, { endpoint: 'https://b.example.com' }, true],
  ['the endpoint where the Admin Ops API is not', apart, { endpoint: 'https://b.example.com' }, { endpoint: 'https://b.example.com' }, false],
  ['the Admin Ops endpoint', apart, { adminEndpoint: 'https://c.example.com' }, { admin_endpoint: 'https://c.example.com' }, true],
  ['the Admin Ops endpoint to the endpoint', apart, { adminEndpoint: '' }, { admin_endpoint: '' }, true],
  ['the Admin Ops endpoint from none to the endpoint', ceph, { adminEndpoint: 'https://s3.example.com' }, { admin_endpoint: 'https://s3.example.com' }, false],
  ['the admin access key', ceph, { adminAccessKeyId: ' OPS2 ' }, { admin_access_key_id: 'OPS2' }, true],
  ['the endpoint of what is no Ceph', backend, { endpoint: 'https://b.example.com' }, { endpoint: 'https://b.example.com' }, false],
])('changing %s asks for the admin secret or not', (_, of, patch, want, asks) => {
  const fields = { ...fieldsOf(of), ...patch };
  expect(changesOf(of, fields)).toEqual(want);
  expect(needsAdminSecret(of, fields)).toBe(asks);
});
