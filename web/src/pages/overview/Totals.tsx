import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import type { Schemas } from '../../api/client';
import { Bytes } from '../../components/Bytes';
import { count, percent } from '../../lib/numbers';
import classes from './OverviewPage.module.css';

/** The sums of the span. */
export function Totals({ totals }: { totals: Schemas['Traffic'] }) {
  const { requests, reads, writes, errors, refusals, bytes_in, bytes_out } = totals;
  const items: readonly (readonly [name: string, value: ReactNode])[] = [
    ['Requests', count(requests)],
    ['Errors', <WithShare key="errors" n={errors} of={requests} result="error" />],
    ['Refused', <WithShare key="refused" n={refusals} of={requests} result="denied" />],
    ['Reads', count(reads)],
    ['Writes', count(writes)],
    ['Received', <Bytes key="in" n={bytes_in} />],
    ['Sent', <Bytes key="out" n={bytes_out} />],
  ];
  return (
    <dl className={classes.totals} aria-label="Sums of the last 24 hours">
      {items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

/** A count that leads to its events in the trail. */
function WithShare({ n, of, result }: { n: number; of: number; result: 'error' | 'denied' }) {
  if (n === 0) {
    return count(n);
  }
  return (
    <>
      <Link to="/admin/audit" search={{ action: 's3.proxy.', result, since: '24h' }}>{count(n)}</Link>
      <span className={classes.share}> {percent(n / of)}</span>
    </>
  );
}
