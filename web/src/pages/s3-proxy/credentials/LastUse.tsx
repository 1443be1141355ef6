import { useQuery } from '@tanstack/react-query';

import { RelativeTime } from '../../../components/RelativeTime';
import { type Credential, trafficQuery } from './actions';
import { usageText } from './usage';

// The server brings its counters into the store every few seconds.
const counted = 5_000;

/** What was counted of a key's requests, in words; undefined while that is not known. */
export function useUsage(accessKeyId: string): { text: string; used: boolean } | undefined {
  const traffic = useQuery({ ...trafficQuery(accessKeyId), refetchInterval: counted }).data;
  return traffic && { text: usageText(traffic), used: traffic.last_24h.requests > 0 };
}

/** Who would notice: what is recorded of a key's use, and no guess. */
export function LastUse({ credential }: { credential: Credential }) {
  const usage = useUsage(credential.access_key_id);
  if (!credential.last_used_at) {
    return usage?.used ? `${usage.text}.` : 'It was never used.';
  }
  return <>{usage && `${usage.text}. `}It was last used <RelativeTime value={credential.last_used_at} />.</>;
}
