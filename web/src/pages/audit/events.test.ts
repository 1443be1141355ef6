import { expect, test } from 'vitest';

import { credentialOf, type Event, explained, outcome, place, related } from './events';

function event(over: Partial<Event> = {}): Event {
  return {
    id: '1', time: '2026-11-21T12:00:00Z', action: 's3.proxy.putobject', result: 'ok', status: 200, request_id: 'R',
    detail: { authenticated: true }, ...over,
  };
}

test.each([
  [event(), 'ok', 'good'],
  [event({ result: 'denied' }), 'denied', 'warn'],
  [event({ result: 'error' }), 'error', 'bad'],
  [event({ result: 'unknown' }), 'unknown', 'warn'],
  [event({ result: 'unknown', in_progress: true }), 'in progress', 'quiet'],
])('%# ended as %s', (of, status, tone) => {
  expect(outcome(of)).toEqual({ status, tone });
});

test('what is open is told from what was never learnt', () => {
  expect(explained(event())).toBe('');
  expect(explained(event({ result: 'unknown', in_progress: true }))).toMatch(/not recorded yet/);
  expect(explained(event({ result: 'unknown' }))).toMatch(/never learnt/);
});

test.each([
  [event({ backend: 'b', bucket: 'c', key: 'd/e' }), 'b/c/d/e'],
  [event({ bucket: 'c' }), 'c'],
  [event({ detail: { authenticated: true, target: 'alice' } }), 'alice'],
  [event(), ''],
])('%# acts on %s', (of, want) => {
  expect(place(of)).toBe(want);
});

test('a claimed id that is none leads to no credential', () => {
  const claimed = (id: string) => credentialOf(event({ detail: { authenticated: false, access_key_id: id } }));
  expect([claimed('AKIAIOSFODNN7EXAMPLE'), claimed('../accounts'), claimed('')]).toEqual(['AKIAIOSFODNN7EXAMPLE', undefined, undefined]);
});

test('an event leads to others with what it has', () => {
  const of = event({ backend: 'b', bucket: 'c', key: 'k', account: 'a', detail: { authenticated: true, access_key_id: 'AK' } });
  expect(Object.fromEntries(related(of).map(({ of: name, search }) => [name, search]))).toEqual({
    request: { request_id: 'R' }, 'access key': { access_key_id: 'AK' }, account: { account: 'a' },
    bucket: { backend: 'b', bucket: 'c' }, 'object key': { backend: 'b', bucket: 'c', key: 'k' }, action: { action: 's3.proxy.putobject' },
  });
  expect(related(event({ key: 'k' })).map(({ of: name }) => name)).toEqual(['request', 'action']);
});
