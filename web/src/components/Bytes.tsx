import { Tooltip } from '@mantine/core';

import { exactSize, size } from '../lib/size';

/** A size in IEC units; to the byte on hover and focus. */
export function Bytes({ n }: { n: number }) {
  return <Tooltip label={exactSize(n)}><span className="exact">{size(n)}</span></Tooltip>;
}
