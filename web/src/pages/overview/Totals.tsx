import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

import type { Schemas } from '../../api/client';
import { exactSize, size } from '../../lib/size';
import classes from './OverviewPage.module.css';
import { count, percent } from './words';

/** The sums of the span. */
export function Totals({ totals }: { totals: Schemas['Traffic'] }) {
  const { requests, reads, writes, errors, refusals, bytes_in, bytes_out } = totals;
  const items: readonly (readonly [name: string, value: ReactNode])[] = [
    ['Requests', count(requests)],
    ['Errors', <WithShare key="errors" n={errors} of={requests} />],
    ['Refused', <WithShare key="refused" n={refusals} of={requests} />],
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

function WithShare({ n, of }: { n: number; of: number }) {
  return <>{count(n)}{n > 0 && <span className={classes.share}> {percent(n / of)}</span>}</>;
}

/** A size in IEC units; to the byte on hover and focus. */
export function Bytes({ n }: { n: number }) {
  return <Tooltip label={exactSize(n)}><span className={classes.exact}>{size(n)}</span></Tooltip>;
}
