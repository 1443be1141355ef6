import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { changesOf, needsSecret } from './edit';

const backend: Schemas['Backend'] = {
  id: 'ceph-1', kind: 's3', endpoint: 'https://s3.example.com', region: 'us-east-1', path_style: true, access_key_id: 'AK',
  source: 'store', keeps_keys: true, force_hashing: false, abilities: [], health: { healthy: true, latency_ms: 1 },
};
const same = { endpoint: 'https://s3.example.com', region: 'us-east-1', pathStyle: true, accessKeyId: 'AK', forceHashing: false, scratch: '' };

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
