import { List, Skeleton, Text } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { findUses, type Uses } from '../../api/uses';
import { ErrorNotice } from '../../components/ErrorNotice';
import { counted, sentenceList } from '../../lib/text';
import { RevokeKey } from '../s3-proxy/credentials/RevokeKey';

const listed = 5;

/** Asks what names a backend, or one of its buckets; anew each time. */
export function useUses(backend: string, bucket?: string): UseQueryResult<Uses> {
  return useQuery({
    queryKey: ['uses', backend, bucket ?? ''], gcTime: 0, staleTime: 0,
    queryFn: ({ signal }) => findUses({ backend, bucket }, signal),
  });
}

/** How many things that is. */
export function countOf(uses: Uses | undefined): number {
  return uses ? uses.credentials.length + uses.bindings.length : 0;
}

/** Says what names a thing, with the way there. */
export function UsedBy({ uses, what }: { uses: UseQueryResult<Uses>; what: string }) {
  const { data, error } = uses;
  if (error) {
    return <ErrorNotice title="What uses it could not be read" error={error} onRetry={() => void uses.refetch()} />;
  }
  if (!data) {
    return <Skeleton height={20} aria-label="Looking for what uses it" />;
  }
  if (countOf(data) === 0) {
    return data.partial ? <Text c="dimmed">None of the {counted(5000, 'newest credential')} names it; older ones were not looked at.</Text> : <Text c="dimmed">No live credential and no anonymous binding names it.</Text>;
  }
  return (
    <div>
      <Text>{data.partial && 'At least '}{sentence(data)} {countOf(data) === 1 ? 'names' : 'name'} {what}:</Text>
      <Names uses={data} />
    </div>
  );
}

function sentence({ credentials, bindings }: Uses): string {
  return sentenceList([
    ...(credentials.length > 0 ? [counted(credentials.length, 'live credential')] : []),
    ...(bindings.length > 0 ? [counted(bindings.length, 'anonymous binding')] : []),
  ]);
}

function Names({ uses: { credentials, bindings } }: { uses: Uses }) {
  const rest = Math.max(0, credentials.length - listed) + Math.max(0, bindings.length - listed);
  return (
    <List size="sm" mt={4}>
      {credentials.slice(0, listed).map((one) => (
        <List.Item key={one.access_key_id}>
          <Link to="/admin/s3-proxy/credentials/$accessKeyId" params={{ accessKeyId: one.access_key_id }} className="mono">{one.access_key_id}</Link>{' '}
          <RevokeKey accessKeyId={one.access_key_id} />
          <Text span inherit c="dimmed" lineClamp={1}>{one.description}</Text>
        </List.Item>
      ))}
      {bindings.slice(0, listed).map((one) => (
        <List.Item key={one.name}>
          <Link to="/admin/s3-proxy/anonymous">anonymous binding {one.name}</Link>
        </List.Item>
      ))}
      {rest > 0 && <List.Item>and {rest.toLocaleString('en')} more</List.Item>}
    </List>
  );
}
