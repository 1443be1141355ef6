import { expect, test } from 'vitest';

import { type BucketQuota, fillOf, readCount, readSize, sizeText } from './quota';

test('sizes are read with units, and written so that they are read the same again', () => {
  expect(readSize(' 10 GiB')).toEqual({ bytes: 10 * 2 ** 30 });
  expect(readSize('1.5mb')).toEqual({ bytes: 1_500_000 });
  expect(readSize('')).toEqual({ bytes: undefined });
  for (const bytes of [0, 1, 1000, 1024, 10 * 2 ** 30, 2 ** 40 + 1]) {
    expect(readSize(sizeText(bytes))).toEqual({ bytes });
  }
  for (const text of ['ten', '-1', '1 XiB', '1e9', '99999999999999 TiB']) {
    expect(readSize(text)).toHaveProperty('fault');
  }
});

test('objects are whole numbers', () => {
  expect(readCount('5')).toEqual({ count: 5 });
  expect(readCount(' ')).toEqual({ count: undefined });
  expect(readCount('1.5')).toHaveProperty('fault');
});

const quota = (caps: Partial<BucketQuota>, bytes: number, objects = 0): BucketQuota => ({
  backend: 'b', bucket: 'u', tracked_at: '', updated_at: '', ...caps,
  usage: {
    used_bytes: bytes, used_objects: objects, reserved_bytes: 0, reserved_objects: 0, unknown_bytes: 0, unknown_objects: 0,
    drift_bytes: 0, drift_objects: 0, needs_scan: false,
  },
});

test('a bucket is as full as its tightest cap', () => {
  expect(fillOf(quota({}, 1024))).toEqual({ percent: undefined, state: 'ok', text: '1.00 KiB' });
  expect(fillOf(quota({ hard_bytes: 100, hard_objects: 10 }, 20, 5))).toEqual({ percent: 50, state: 'ok', text: '5 objects of 10 objects' });
  expect(fillOf(quota({ soft_bytes: 10, hard_bytes: 100 }, 20))).toMatchObject({ percent: 20, state: 'soft' });
  expect(fillOf(quota({ hard_bytes: 100 }, 100))).toMatchObject({ percent: 100, state: 'full' });
  expect(fillOf(quota({ hard_bytes: 0 }, 0))).toMatchObject({ percent: 100, state: 'full' });
});
