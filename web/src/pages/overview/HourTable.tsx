import { Button, Table, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { count } from '../../lib/numbers';
import { eventsOf, hourSpan } from './hours';

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
      {shown ? <Numbers hours={hours} links /> : <VisuallyHidden><Numbers hours={hours} links={false} /></VisuallyHidden>}
    </>
  );
}

/** Only what is seen may take the focus, so links are in the table that is. */
function Numbers({ hours, links }: HourTableProps & { links: boolean }) {
  return (
    <Table maw={640} tabularNums verticalSpacing={4} horizontalSpacing={8} aria-label="Requests per hour, newest first">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Hour</Table.Th>
          {['Requests', 'Errors', 'Refused'].map((name) => <Table.Th key={name} scope="col" ta="end">{name}</Table.Th>)}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {hours.toReversed().map((hour) => (
          <Table.Tr key={hour.hour}>
            <Table.Th scope="row" fw={400}><When hour={hour} link={links} /></Table.Th>
            <Table.Td ta="end">{count(hour.requests)}</Table.Td>
            <Table.Td ta="end">{count(hour.errors)}</Table.Td>
            <Table.Td ta="end">{count(hour.refusals)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function When({ hour, link }: { hour: Schemas['TrafficHour']; link: boolean }) {
  return link && hour.requests > 0 ? <Link to="/admin/audit" search={eventsOf(hour)}>{hourSpan(hour)}</Link> : hourSpan(hour);
}
