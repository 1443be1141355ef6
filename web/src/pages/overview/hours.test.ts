import { expect, test } from 'vitest';

import { eventsOf } from './hours';

test('the events of an hour are those from its beginning to that of the next', () => {
  expect(eventsOf({ hour: '2026-11-21T23:00:00Z' })).toEqual({ action: 's3.proxy.', since: '2026-11-21T23:00:00Z', until: '2026-11-22T00:00:00Z' });
});
