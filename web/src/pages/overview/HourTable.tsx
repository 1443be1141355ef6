import { Button, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';

import type { Schemas } from '../../api/client';
import { type Column, DataTable } from '../../components/DataTable';
import { Bytes } from './Totals';
import { count, hourSpan } from './words';

type Hour = Schemas['TrafficHour'];

const columns: Column<Hour>[] = [
  { id: 'hour', header: 'Hour', bare: true, cell: ({ hour }) => hourSpan(hour) },
  { id: 'requests', header: 'Requests', align: 'end', cell: ({ requests }) => count(requests) },
  { id: 'errors', header: 'Errors', align: 'end', cell: ({ errors }) => count(errors) },
  { id: 'refusals', header: 'Refused', align: 'end', cell: ({ refusals }) => count(refusals) },
  { id: 'in', header: 'Received', align: 'end', cell: ({ bytes_in }) => <Bytes n={bytes_in} /> },
  { id: 'out', header: 'Sent', align: 'end', cell: ({ bytes_out }) => <Bytes n={bytes_out} /> },
];

/** The chart's numbers. Screen readers always have them, the others at a click. */
export function HourTable({ hours }: { hours: readonly Hour[] }) {
  const [shown, { toggle }] = useDisclosure(false);
  const table = (
    <DataTable label="Requests per hour" columns={columns} rows={hours.toReversed()} rowKey={({ hour }) => hour} empty={null} />
  );
  return (
    <>
      <Button variant="subtle" color="gray" px={6} onClick={toggle} aria-expanded={shown} style={{ alignSelf: 'flex-start' }}>
        {shown ? 'Hide the numbers' : 'Show the numbers'}
      </Button>
      {shown ? table : <VisuallyHidden>{table}</VisuallyHidden>}
    </>
  );
}
