import { Text, UnstyledButton } from '@mantine/core';

import { Bytes } from '../../components/Bytes';
import { type Column, DataTable } from '../../components/DataTable';
import { count } from '../../lib/numbers';
import { middle } from '../../lib/text';
import { type By, keyOf, nameOf, narrowTo, orders, sorted, sortOf, type UsageItem, type UsageSearch } from './usage';
import classes from './UsageTable.module.css';

interface UsageTableProps {
  items: readonly UsageItem[];
  by: By;
  /** The column that it is sorted by; "-" before it turns the order around. */
  sort: string | undefined;
  onSort: (sort: string) => void;
  /** Narrows the page to one of the items. */
  onNarrow: (to: UsageSearch) => void;
}

const heads: Record<By, string> = { bucket: 'Bucket', credential: 'Access key', project: 'Project' };
const nobody: Record<By, string> = { bucket: 'no bucket', credential: 'nobody', project: 'no project' };

/** Who used how much. */
export function UsageTable({ items, by, sort, onSort, onNarrow }: UsageTableProps) {
  const size = (id: keyof typeof orders, header: string): Column<UsageItem> => ({ id, header, align: 'end', sortable: true, cell: (item) => <Bytes n={orders[id](item)} /> });
  const number = (id: keyof typeof orders, header: string): Column<UsageItem> => ({ id, header, align: 'end', sortable: true, cell: (item) => count(orders[id](item)) });
  const columns: Column<UsageItem>[] = [
    { id: 'name', header: heads[by], bare: true, sortable: true, cell: (item) => <Name item={item} by={by} onNarrow={onNarrow} /> },
    ...(by === 'credential' ? [{ id: 'what', header: 'Description', long: true, cell: (item: UsageItem) => item.name }] : [
      { id: 'stored', header: 'Stored', align: 'end' as const, sortable: true, cell: (item: UsageItem) => (item.stored_bytes === undefined ? '–' : <Bytes n={item.stored_bytes} />) },
      { id: 'objects', header: 'Objects', align: 'end' as const, sortable: true, cell: (item: UsageItem) => (item.stored_objects === undefined ? '–' : count(item.stored_objects)) },
    ]),
    size('in', 'In'), size('out', 'Out'),
    number('reads', 'Reads, lists'), number('writes', 'Writes'), number('deletes', 'Deletes'), number('refused', 'Refused'),
  ];
  return (
    <DataTable
      label="Who uses what" columns={columns} rows={sorted(items, sort, by)} rowKey={keyOf} empty={null}
      sort={{ ...sortOf(sort), onSort: (id, turned) => onSort(turned ? `-${id}` : id), ascending: (id) => id === 'name' }}
    />
  );
}

function Name({ item, by, onNarrow }: { item: UsageItem; by: By; onNarrow: (to: UsageSearch) => void }) {
  const name = nameOf(item, by);
  if (name === undefined) {
    // What named no bucket is told by backend, if it came so far.
    return <Text span inherit c="dimmed">{nobody[by]}{by === 'bucket' && item.backend !== undefined && <> of {item.backend}</>}</Text>;
  }
  return <UnstyledButton className={classes.name} title={name} onClick={() => onNarrow(narrowTo(item))}>{by === 'project' ? name : <code>{middle(name, 36)}</code>}</UnstyledButton>;
}
