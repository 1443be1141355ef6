import { expect, test } from 'vitest';

import { keysKept, stepLines } from './words';

test('only a proof lets odd keys pass', () => {
  expect(keysKept({ kind: 's3', keeps_keys: true }).means).not.toContain('refused');
  expect(keysKept({ kind: 's3', keeps_keys: false }).means).toContain('refused');
  expect(keysKept({ kind: 'embedded', keeps_keys: false }).means).toContain('refused');
});

const report = { ok: false, steps: [{ name: 'reach', ok: true, message: 'it answered in 3 ms' }, { name: 'sign', ok: false }], clock_skew_ms: 0, buckets: 0, keeps_keys: false, abilities: [] };

test('what comes after a failed step was not tried', () => {
  expect(stepLines(report, 's3').map((line) => line.outcome.status)).toEqual(['passed', 'failed', 'not tried', 'not tried', 'not tried', 'not tried']);
  expect(stepLines(report, 's3')[0]?.message).toBe('It answered in 3 ms');
});

test('a key step without proof did not pass', () => {
  const steps = [{ name: 'keys', ok: true, message: 'it stores odd keys under other names' }];
  expect(stepLines({ ...report, steps }, 's3').find((line) => line.name === 'keys')?.outcome.status).toBe('not proven');
  expect(stepLines({ ...report, steps, keeps_keys: true }, 's3').find((line) => line.name === 'keys')?.outcome.status).toBe('passed');
});

test('a Ceph is asked for its Admin Ops API, and what mends a step is told', () => {
  const steps = [{ name: 'admin', ok: false, message: 'the key lacks capabilities', mend: 'radosgw-admin caps add' }];
  expect(stepLines({ ...report, steps }, 'ceph-rgw').find((line) => line.name === 'admin')).toMatchObject({ outcome: { status: 'failed' }, mend: 'radosgw-admin caps add' });
  expect(stepLines({ ...report, steps: [] }, 's3').map((line) => line.name)).not.toContain('admin');
});
