import { expect, test } from 'vitest';

import { healthOf, keysKept, latencyText, stepLines } from './words';

test.each([
  [{ healthy: false, latency_ms: 0 }, 'not checked yet'],
  [{ healthy: true, latency_ms: 0 }, 'not checked yet'],
  [{ healthy: true, latency_ms: 3, checked_at: '2026-11-21T12:00:00Z' }, 'healthy'],
  [{ healthy: false, latency_ms: 3, checked_at: '2026-11-21T12:00:00Z' }, 'unhealthy'],
])('%j is %s', (health, want) => {
  expect(healthOf(health).status).toBe(want);
});

test.each([[0.04, '0.0 ms'], [3.25, '3.3 ms'], [42.4, '42 ms'], [12345, '12,345 ms']])('%d ms are told as %s', (ms, want) => {
  expect(latencyText(ms)).toBe(want);
});

test('only a proof lets odd keys pass', () => {
  expect(keysKept({ kind: 's3', keeps_keys: true }).means).not.toContain('refused');
  expect(keysKept({ kind: 's3', keeps_keys: false }).means).toContain('refused');
  expect(keysKept({ kind: 'embedded', keeps_keys: false }).means).toContain('refused');
});

const report = { ok: false, steps: [{ name: 'reach', ok: true, message: 'it answered in 3 ms' }, { name: 'sign', ok: false }], clock_skew_ms: 0, buckets: 0, keeps_keys: false };

test('what comes after a failed step was not tried', () => {
  expect(stepLines(report).map((line) => line.outcome.status)).toEqual(['passed', 'failed', 'not tried', 'not tried', 'not tried']);
  expect(stepLines(report)[0]?.message).toBe('It answered in 3 ms');
});

test('a key step without proof did not pass', () => {
  const steps = [{ name: 'keys', ok: true, message: 'it stores odd keys under other names' }];
  expect(stepLines({ ...report, steps }).at(-1)?.outcome.status).toBe('not proven');
  expect(stepLines({ ...report, steps, keeps_keys: true }).at(-1)?.outcome.status).toBe('passed');
});
