// On a phone rows are cards, and elements that are laid out otherwise lose the
// roles they imply: here they are said.
/* eslint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role */
import { Button, Checkbox, Skeleton, UnstyledButton, VisuallyHidden } from '@mantine/core';
import type { MouseEvent, ReactNode } from 'react';

import classes from './DataTable.module.css';
import { ErrorNotice } from './ErrorNotice';

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  align?: 'end';
  /** Has texts that people or clients wrote: breaks anywhere rather than widen the table. */
  long?: boolean;
  /** Its head sorts the table, where that has an order. */
  sortable?: boolean;
  /** A CSS width. */
  width?: string;
  /** Holds buttons: its name is for screen readers only, and it stands at the end. */
  actions?: boolean;
  /** On a phone rows are cards; there the name of this one is left out. */
  bare?: boolean;
}

export interface Selection<Row> {
  keys: ReadonlySet<string>;
  onChange: (keys: ReadonlySet<string>) => void;
  /** Which rows can be selected; absent: all. */
  selectable?: (row: Row) => boolean;
}

/** By which column rows are sorted, and what chooses another. The owner of the rows sorts. */
export interface Sort {
  by: string;
  turned: boolean;
  onSort: (id: string, turned: boolean) => void;
  /** Whether a column begins with the least; numbers begin with the greatest. */
  ascending: (id: string) => boolean;
}

export interface More {
  available: boolean;
  loading: boolean;
  load: () => void;
}

interface DataTableProps<Row> {
  /** Names the table for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  /** Undefined while they are loading. */
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  /** What is shown instead of no rows. */
  empty: ReactNode;
  error?: unknown;
  onRetry?: () => void;
  /** Opens a row's drawer; one cell should hold a link that does the same. */
  onOpen?: (row: Row) => void;
  /** The key of the row whose drawer is open. */
  active?: string | undefined;
  selection?: Selection<Row> | undefined;
  more?: More;
  sort?: Sort;
}

/** A table with a sticky head, states of its own, selection and cursor paging. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, error, onRetry, empty, more, selection, sort } = props;
  if (error && !rows) {
    return <ErrorNotice title={`${label} could not be read`} error={error} {...(onRetry ? { onRetry } : {})} />;
  }
  if (rows?.length === 0) {
    return <div className={classes.empty}>{empty}</div>;
  }
  return (
    <>
      {error !== undefined && error !== null && (
        <ErrorNotice title={`${label} could not be read again`} error={error} {...(onRetry ? { onRetry } : {})} />
      )}
      <table className={classes.table} role="table" aria-label={label} aria-busy={!rows}>
        <thead role="rowgroup">
          <tr role="row">
            {selection && (
              <th role="columnheader" scope="col" className={classes.select}>
                <SelectAll rows={rows ?? []} selection={selection} rowKey={props.rowKey} />
              </th>
            )}
            {columns.map((column) => (
              <th key={column.id} role="columnheader" scope="col" data-align={alignOf(column)} style={column.width ? { width: column.width } : {}} aria-sort={orderOf(column, sort)}>
                <Head column={column} sort={sort} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">{rows ? rows.map((row) => <BodyRow key={props.rowKey(row)} row={row} {...props} />) : <Ghosts columns={columns.length + (selection ? 1 : 0)} />}</tbody>
      </table>
      {more?.available && (
        <div className={classes.more}>
          <Button variant="default" loading={more.loading} onClick={more.load}>
            Load more
          </Button>
        </div>
      )}
    </>
  );
}

function orderOf<Row>({ id, sortable }: Column<Row>, sort: Sort | undefined): 'ascending' | 'descending' | undefined {
  if (!sortable || sort?.by !== id) {
    return undefined;
  }
  return sort.ascending(id) === sort.turned ? 'descending' : 'ascending';
}

function Head<Row>({ column, sort }: { column: Column<Row>; sort: Sort | undefined }) {
  if (column.actions) {
    return <VisuallyHidden>{column.header}</VisuallyHidden>;
  }
  if (!sort || !column.sortable) {
    return column.header;
  }
  const active = sort.by === column.id;
  return (
    <UnstyledButton className={classes.sort} onClick={() => sort.onSort(column.id, active && !sort.turned)}>
      {column.header}{active && <span aria-hidden> {orderOf(column, sort) === 'ascending' ? '↑' : '↓'}</span>}
    </UnstyledButton>
  );
}

function alignOf<Row>({ align, actions }: Column<Row>): 'end' | undefined {
  return actions ? 'end' : align;
}

function BodyRow<Row>({ row, columns, rowKey, onOpen, active, selection }: DataTableProps<Row> & { row: Row }) {
  const key = rowKey(row);
  const open = (event: MouseEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    if (!target.closest('a, button, input, label, [role=dialog], [role=menu]') && window.getSelection()?.type !== 'Range') {
      onOpen?.(row);
    }
  };
  return (
    // The keyboard has the row's link; the click on the whole row is for mice.
    <tr role="row" data-active={key === active || undefined} data-opens={onOpen ? true : undefined} onClick={onOpen ? open : undefined}>
      {selection && (
        <td role="cell" className={classes.select}>
          <SelectOne row={row} id={key} selection={selection} />
        </td>
      )}
      {columns.map((column) => (
        <td key={column.id} role="cell" data-align={alignOf(column)} data-label={column.bare || column.actions ? undefined : column.header}>
          <div className={classes.value} data-long={column.long}>{column.cell(row)}</div>
        </td>
      ))}
    </tr>
  );
}

function SelectOne<Row>({ row, id, selection }: { row: Row; id: string; selection: Selection<Row> }) {
  const { keys, onChange, selectable } = selection;
  const toggle = () => {
    const next = new Set(keys);
    if (!next.delete(id)) {
      next.add(id);
    }
    onChange(next);
  };
  return <Checkbox size="xs" aria-label={`Select ${id}`} checked={keys.has(id)} disabled={selectable?.(row) === false} onChange={toggle} />;
}

function SelectAll<Row>({ rows, selection, rowKey }: { rows: readonly Row[]; selection: Selection<Row>; rowKey: (row: Row) => string }) {
  const { keys, onChange, selectable } = selection;
  const all = rows.filter((row) => selectable?.(row) !== false).map(rowKey);
  const checked = all.length > 0 && all.every((key) => keys.has(key));
  return (
    <Checkbox
      size="xs"
      aria-label="Select all rows that are shown"
      checked={checked}
      indeterminate={!checked && all.some((key) => keys.has(key))}
      disabled={all.length === 0}
      onChange={() => onChange(checked ? new Set() : new Set(all))}
    />
  );
}

function Ghosts({ columns }: { columns: number }) {
  return (
    <>
      {Array.from({ length: 8 }, (_, row) => (
        <tr key={row} role="row">
          {Array.from({ length: columns }, (_, column) => (
            <td key={column} role="cell">
              {row === 0 && column === 0 && <VisuallyHidden>Loading</VisuallyHidden>}
              <Skeleton height={14} my={3} width={`${50 + ((row * 31 + column * 17) % 45)}%`} />
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}
