import { Box, Button, Table, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';

import { count } from '../../lib/numbers';
import { size } from '../../lib/size';
import type { UsageDay } from './usage';

/** The chart's numbers. Screen readers always have them, the others at a click. */
export function DayTable({ days }: { days: readonly UsageDay[] }) {
  const [shown, { toggle }] = useDisclosure(false);
  return (
    <>
      <Button variant="subtle" color="gray" px={6} onClick={toggle} aria-expanded={shown}>{shown ? 'Hide the numbers' : 'Show the numbers'}</Button>
      {shown ? <Box style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label="Numbers by day"><Numbers days={days} /></Box> : <VisuallyHidden><Numbers days={days} /></VisuallyHidden>}
    </>
  );
}

const heads = ['Stored', 'Objects', 'In', 'Out', 'Reads', 'Lists', 'Writes', 'Deletes', 'Refused', 'Failed'];

function Numbers({ days }: { days: readonly UsageDay[] }) {
  return (
    <Table tabularNums verticalSpacing={4} horizontalSpacing={8} aria-label="Usage per day, newest first">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Day (UTC)</Table.Th>
          {heads.map((name) => <Table.Th key={name} scope="col" ta="end">{name}</Table.Th>)}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {days.toReversed().map((day) => (
          <Table.Tr key={day.day}>
            <Table.Th scope="row" fw={400}>{day.day}</Table.Th>
            {cells(day).map((cell, i) => <Table.Td key={heads[i]} ta="end">{cell}</Table.Td>)}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function cells(day: UsageDay): string[] {
  return [
    day.stored_bytes === undefined ? '–' : size(day.stored_bytes), day.stored_objects === undefined ? '–' : count(day.stored_objects),
    size(day.bytes_in), size(day.bytes_out), ...[day.reads, day.lists, day.writes, day.deletes, day.refused, day.failed].map(count),
  ];
}
