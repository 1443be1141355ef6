import { expect, test } from 'vitest';

import { limitsChoice, limitUses, noLimits, readLimits, tightestUse } from './limits';

test('what is typed becomes limits and is shown again as it was', () => {
  const typed = { ceiling: '8 GiB', ceilingObjects: '5', allowance: '1 MiB', per: 'total' } as const;
  const read = readLimits(typed);
  expect(read).toEqual({ limits: { ceiling_bytes: 2 ** 33, ceiling_objects: 5, allowance_bytes: 2 ** 20, allowance_per: 'total' } });
  expect(limitsChoice({ inherits: false, text: '', ...('limits' in read && read.limits) })).toEqual(typed);
});

test('nothing typed inherits', () => {
  expect(readLimits(noLimits)).toEqual({ limits: undefined });
  expect(limitsChoice({ inherits: true, text: '' })).toEqual(noLimits);
});

test('a span without an allowance is none', () => {
  expect(readLimits({ ...noLimits, ceiling: '1', per: 'total' })).toEqual({ limits: { ceiling_bytes: 1 } });
});

test('what cannot be read is told beside its field', () => {
  const read = readLimits({ ceiling: 'much', ceilingObjects: '-1', allowance: '1 GiB', per: 'day' });
  expect('faults' in read && Object.keys(read.faults)).toEqual(['ceiling', 'ceilingObjects']);
});

test('each limit has its bar', () => {
  expect(limitUses({ inherits: true, text: '' })).toEqual([]);
  expect(limitUses({
    inherits: false, text: '', ceiling_bytes: 2048, fullest_bytes: 1024, fullest_objects: 3, allowance_bytes: 0, allowance_per: 'day', allowance_used_bytes: 0,
  })).toEqual([
    { name: 'Its fullest bucket, up to its ceiling', text: '1.00 KiB of 2.00 KiB', percent: 50, full: false },
    { name: 'Written today (UTC), of its allowance', text: '0 B of 0 B', percent: 100, full: true },
  ]);
});

test('the tightest limit says whose it is, and what it means', () => {
  const use = (tightest: NonNullable<Parameters<typeof tightestUse>[0]['tightest']>, per?: 'day') =>
    tightestUse({ inherits: false, text: '', tightest, ...(per && { allowance_per: per }) });
  expect(tightestUse({ inherits: true, text: '' })).toBeUndefined();
  expect(use({ of: 'bucket', bucket: 'prod/logs', unit: 'bytes', used: 1024, cap: 2048, soft: false })).toEqual({ used: '1.00 KiB', cap: '2.00 KiB', whose: 'prod/logs', percent: 50, state: 'ok', note: '' });
  expect(use({ of: 'bucket', bucket: 'prod/logs', unit: 'objects', used: 4, cap: 5, soft: false })).toMatchObject({ used: '4 objects', cap: '5 objects', state: 'near', note: '' });
  expect(use({ of: 'bucket', bucket: 'prod/logs', unit: 'bytes', used: 3, cap: 2, soft: true })).toMatchObject({ percent: 100, state: 'near', note: 'over the soft cap' });
  expect(use({ of: 'ceiling', bucket: 'prod/logs', unit: 'bytes', used: 2, cap: 2, soft: false })).toMatchObject({ whose: 'its ceiling in prod/logs', state: 'full', note: 'used up' });
  expect(use({ of: 'allowance', unit: 'bytes', used: 0, cap: 0, soft: false }, 'day')).toMatchObject({ whose: 'its allowance today', percent: 100, state: 'full' });
  expect(use({ of: 'allowance', unit: 'bytes', used: 1, cap: 4, soft: false })).toMatchObject({ whose: 'its allowance', percent: 25 });
});
