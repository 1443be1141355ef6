import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, type Schemas, send } from '../../api/client';
import { stringifySearch } from '../../lib/search';

export type Usage = Schemas['Usage'];
export type UsageItem = Schemas['UsageItem'];
export type UsageDay = Schemas['UsageDay'];

/** The search parameters of the page. */
export const searchNames = ['by', 'days', 'backend', 'bucket', 'access_key_id', 'project_id', 'show', 'sort'] as const;
export type UsageSearch = Partial<Record<(typeof searchNames)[number], string>>;

export const spans = [{ value: '7', label: '7 days' }, { value: '30', label: '30 days' }, { value: '90', label: '90 days' }, { value: '365', label: '365 days' }];

export const kindsOfThing = [{ value: 'bucket', label: 'Buckets' }, { value: 'credential', label: 'Credentials' }, { value: 'project', label: 'Projects' }];

export type By = Usage['by'];

/** What usage is told by; anything odd in the address stands for buckets. */
export function byOf({ by }: UsageSearch): By {
  return by === 'credential' || by === 'project' ? by : 'bucket';
}

export function daysOf({ days }: UsageSearch): number {
  return spans.some(({ value }) => value === days) ? Number(days) : 30;
}

/** The question to the API. Days are UTC days. */
export function questionOf(search: UsageSearch, now: Date): { by: By; from: string; to: string; backend?: string; bucket?: string; access_key_id?: string; project_id?: string } {
  const day = (back: number) => new Date(now.getTime() - back * 86_400_000).toISOString().slice(0, 10);
  return {
    by: byOf(search), from: day(daysOf(search) - 1), to: day(0),
    ...(search.backend ? { backend: search.backend } : {}), ...(search.bucket ? { bucket: search.bucket } : {}),
    ...(search.access_key_id ? { access_key_id: search.access_key_id } : {}), ...(search.project_id ? { project_id: search.project_id } : {}),
  };
}

export const usageQuery = (search: UsageSearch) => {
  const query = questionOf(search, new Date());
  return queryOptions({
    queryKey: ['usage', query],
    queryFn: async ({ signal }) => (await send(api.GET('/api/usage', { params: { query }, signal }))).data,
    refetchInterval: 30_000, placeholderData: keepPreviousData,
  });
};

/** Where the CSV of what is shown is. */
export function csvAddress(search: UsageSearch, now: Date): string {
  return `/api/usage.csv${stringifySearch(questionOf(search, now))}`;
}

/** One thing that the chart can show. */
export interface Measure {
  value: string;
  label: string;
  /** Sizes in bytes, or counts. */
  bytes: boolean;
  /** Undefined where it is not known. */
  of: (day: UsageDay) => number | undefined;
}

const requests = (one: UsageDay | UsageItem) => one.reads + one.lists + one.writes + one.deletes;

const bytesOut: Measure = { value: 'out', label: 'Bytes out', bytes: true, of: (day) => day.bytes_out };

export const measures: readonly Measure[] = [
  bytesOut,
  { value: 'in', label: 'Bytes in', bytes: true, of: (day) => day.bytes_in },
  { value: 'stored', label: 'Stored', bytes: true, of: (day) => day.stored_bytes },
  { value: 'objects', label: 'Objects', bytes: false, of: (day) => day.stored_objects },
  { value: 'requests', label: 'Requests', bytes: false, of: requests },
];

export function measureOf({ show }: UsageSearch): Measure {
  return measures.find(({ value }) => value === show) ?? bytesOut;
}

/** What identifies an item among those of its kind. */
export function keyOf(item: UsageItem): string {
  return [item.backend, item.bucket, item.access_key_id, item.project_id].join('/');
}

/** How an item is called; undefined: it is what nobody can be named for. */
export function nameOf(item: UsageItem, by: By): string | undefined {
  switch (by) {
    case 'bucket':
      return item.bucket === undefined ? undefined : `${item.backend ?? ''}/${item.bucket}`;
    case 'credential':
      return item.access_key_id;
    default:
      return item.project_id === undefined ? undefined : item.name ?? item.project_id;
  }
}

/** The search parameters that narrow the page to an item. */
export function narrowTo(item: UsageItem): UsageSearch {
  return {
    ...(item.bucket === undefined ? {} : { backend: item.backend ?? '', bucket: item.bucket }),
    ...(item.access_key_id === undefined ? {} : { access_key_id: item.access_key_id }),
    ...(item.project_id === undefined ? {} : { project_id: item.project_id }),
  };
}

/** By what the table can be sorted; numbers begin with the greatest. */
export const orders = {
  stored: (item: UsageItem) => item.stored_bytes ?? -1, objects: (item: UsageItem) => item.stored_objects ?? -1, in: (item: UsageItem) => item.bytes_in, out: (item: UsageItem) => item.bytes_out,
  reads: (item: UsageItem) => item.reads + item.lists, writes: (item: UsageItem) => item.writes, deletes: (item: UsageItem) => item.deletes,
  refused: (item: UsageItem) => item.refused,
};

/** The column that an address sorts by; "-" before its name turns the order around. */
export function sortOf(sort: string | undefined): { by: string; turned: boolean } {
  return { by: sort?.replace(/^-/, '') ?? 'out', turned: sort?.startsWith('-') ?? false };
}

/** Sorts items as an address says. */
export function sorted(items: readonly UsageItem[], sort: string | undefined, by: By): UsageItem[] {
  const { by: name, turned } = sortOf(sort);
  const turn = turned ? -1 : 1;
  const number = (orders as Partial<Record<string, (item: UsageItem) => number>>)[name];
  const byName = (a: UsageItem, b: UsageItem) => (nameOf(a, by) ?? '').localeCompare(nameOf(b, by) ?? '');
  return items.toSorted((a, b) => (number ? turn * (number(b) - number(a)) || byName(a, b) : turn * byName(a, b)));
}
