import { execFileSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { downloads, type Filling, listable, snippets } from './snippets';

const filling: Filling = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalr/XUtnFEMI+K7MDENG', endpoint: 'http://localhost:8090', region: 'eu-1',
  bucket: 'reports', prefix: '2026/',
};

const byId = (over: Partial<Filling> = {}) => new Map(snippets({ ...filling, ...over }).map((snippet) => [snippet.id, snippet]));

test('every client has one, filled with key, endpoint, region and bucket', () => {
  const all = byId();
  expect([...all.keys()]).toEqual(['aws-env', 'aws-profile', 'boto3', 'rclone', 's3cmd', 'go', 'javascript']);
  for (const { text } of all.values()) {
    for (const part of [filling.accessKeyId, filling.secretAccessKey, 'localhost:8090', 'eu-1', 'reports', '2026/']) {
      expect(text).toContain(part);
    }
    expect(text.endsWith('\n')).toBe(true);
  }
});

test('without a bucket to list, buckets are listed', () => {
  for (const { text } of byId({ bucket: undefined, prefix: undefined }).values()) {
    expect(text).not.toContain('reports');
    expect(text).not.toContain('undefined');
  }
});

test('a prefix cannot leave its quotes', () => {
  const prefix = `a'; touch pwned; "$(id)" \\/`;
  const all = byId({ prefix });
  for (const id of ['aws-env', 'aws-profile', 'rclone', 's3cmd']) {
    const last = all.get(id)?.text.trimEnd().split('\n').at(-1) ?? '';
    const words = last.slice(last.indexOf("'"));
    expect(execFileSync('sh', ['-c', `printf %s ${words}`]).toString()).toContain(`reports/${prefix}`);
  }
  for (const id of ['boto3', 'go', 'javascript']) {
    expect(all.get(id)?.text).toContain(JSON.stringify(prefix));
  }
});

test('https is told to s3cmd apart from the host', () => {
  const text = byId({ endpoint: 'https://s3.example.org' }).get('s3cmd')?.text ?? '';
  expect(text).toContain('host_base = s3.example.org\n');
  expect(text).toContain('use_https = True\n');
});

test('the bucket is the first that may be listed, by its client name', () => {
  const read = { bucket: 'a', permissions: ['read'] };
  expect(listable([])).toEqual({});
  expect(listable([read])).toEqual({});
  expect(listable([read, { bucket: 'b', permissions: ['list'], prefix: 'p/' }])).toEqual({ bucket: 'b', prefix: 'p/' });
  expect(listable([read, { bucket: 'b', permissions: ['list'], alias: 'c' }])).toEqual({ bucket: 'c', prefix: '' });
  expect(listable([read, { bucket: 'b', permissions: ['list'], prefix: 'p/', alias: 'c' }])).toEqual({ bucket: 'c', prefix: '' });
});

test('downloads hold the key', () => {
  for (const { text } of downloads(filling)) {
    expect(text).toContain(filling.accessKeyId);
    expect(text).toContain(filling.secretAccessKey);
  }
});
