import { expect, test } from 'vitest';

import { type Sink, trouble } from './sinks';

const sink: Sink = { name: 'siem', kind: 'syslog', target: 'log:6514', records: true, anchors: true, position: 10, lag: 0, anchored: 0 };

test.each([
  [{}, ''],
  [{ lag: 999 }, ''],
  [{ lag: 1001 }, 'The sink siem is behind. It lacks 1,001 records.'],
  [{ failing: 'no connection' }, 'The sink siem takes nothing: no connection.'],
  [{ failing: 'no connection', lag: 1 }, 'The sink siem takes nothing: no connection. It lacks 1 record.'],
])('of %j is said: %s', (patch, want) => {
  expect(trouble({ ...sink, ...patch })).toBe(want);
});
