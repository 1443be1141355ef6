import { type QueryKey, useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import type { More } from './DataTable';

interface Page<Row> {
  items: Row[];
  next_cursor?: string;
}

interface Paged<Row> {
  rows: Row[] | undefined;
  error: Error | null;
  onRetry: () => void;
  more: More;
}

/**
 * Reads a list page by page; the result fits into a DataTable. The key should
 * begin with the resource's name, so that a change can invalidate its lists.
 */
export function usePaged<Row>(
  queryKey: QueryKey,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
): Paged<Row> {
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    getNextPageParam: (last) => last.next_cursor,
  });
  const rows = query.data?.pages.flatMap((page) => page.items);
  const searching = rows?.length === 0 && query.hasNextPage; // a page of a long search may be empty
  const { isFetching, fetchNextPage } = query;
  useEffect(() => {
    if (searching && !isFetching && query.error === null) {
      void fetchNextPage();
    }
  }, [searching, isFetching, query.error, fetchNextPage]);
  return {
    rows: searching ? undefined : rows,
    error: query.error,
    onRetry: () => void query.refetch(),
    more: { available: query.hasNextPage, loading: query.isFetchingNextPage, load: () => void query.fetchNextPage() },
  };
}
