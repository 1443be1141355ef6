import { describe, expect, it } from 'vitest';

import { csvAddress, questionOf, sorted, type UsageItem } from './usage';

const item = (bucket: string, out: number): UsageItem => ({
  backend: 'main', bucket, bytes_in: 0, bytes_out: out, reads: 0, lists: 0, writes: 0, deletes: 0, refused: 0, failed: 0,
});

const now = new Date('2026-03-01T00:30:00Z');

describe('the question', () => {
  it('asks for 30 UTC days of buckets unless told otherwise', () => {
    expect(questionOf({}, now)).toEqual({ by: 'bucket', from: '2026-01-31', to: '2026-03-01' });
  });
  it('takes what it knows from the address and nothing else', () => {
    expect(questionOf({ by: 'weather', days: '1000', bucket: 'a' }, now)).toEqual({ by: 'bucket', from: '2026-01-31', to: '2026-03-01', bucket: 'a' });
    expect(questionOf({ by: 'project', days: '7' }, now)).toEqual({ by: 'project', from: '2026-02-23', to: '2026-03-01' });
  });
  it('is the same for the CSV', () => {
    expect(csvAddress({ days: '7', access_key_id: 'AK&1' }, now)).toBe('/api/usage.csv?by=bucket&from=2026-02-23&to=2026-03-01&access_key_id=AK%261');
  });
});

describe('the order', () => {
  const items = [item('b', 1), item('a', 1), item('c', 5)];
  const names = (sort: string | undefined) => sorted(items, sort, 'bucket').map(({ bucket }) => bucket).join('');
  it('begins with the greatest, and equals stand by name', () => expect(names(undefined)).toBe('cab'));
  it('turns around', () => expect(names('-out')).toBe('abc'));
  it('may be that of the names', () => expect(names('name')).toBe('abc'));
});
