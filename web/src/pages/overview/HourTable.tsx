import { Button, Table, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';

import type { Schemas } from '../../api/client';
import { count, hourSpan } from './words';

interface HourTableProps {
  hours: readonly Schemas['TrafficHour'][];
}

/** The chart's numbers. Screen readers always have them, the others at a click. */
export function HourTable({ hours }: HourTableProps) {
  const [shown, { toggle }] = useDisclosure(false);
  return (
    <>
      <Button variant="subtle" color="gray" px={6} onClick={toggle} aria-expanded={shown} style={{ alignSelf: 'flex-start' }}>
        {shown ? 'Hide the numbers' : 'Show the numbers'}
      </Button>
      {shown ? <Numbers hours={hours} /> : <VisuallyHidden><Numbers hours={hours} /></VisuallyHidden>}
    </>
  );
}

function Numbers({ hours }: HourTableProps) {
  return (
    <Table maw={640} tabularNums verticalSpacing={4} horizontalSpacing={8} aria-label="Requests per hour, newest first">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Hour</Table.Th>
          {['Requests', 'Errors', 'Refused'].map((name) => <Table.Th key={name} scope="col" ta="end">{name}</Table.Th>)}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {hours.toReversed().map(({ hour, requests, errors, refusals }) => (
          <Table.Tr key={hour}>
            <Table.Th scope="row" fw={400}>{hourSpan(hour)}</Table.Th>
            <Table.Td ta="end">{count(requests)}</Table.Td>
            <Table.Td ta="end">{count(errors)}</Table.Td>
            <Table.Td ta="end">{count(refusals)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
