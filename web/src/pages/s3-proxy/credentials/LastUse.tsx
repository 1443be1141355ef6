import { RelativeTime } from '../../../components/RelativeTime';
import type { Credential } from './actions';

/** Who would notice: what is recorded of a key's use, and no guess. */
export function LastUse({ credential }: { credential: Credential }) {
  if (!credential.last_used_at) {
    return 'It was never used.';
  }
  return <>It was last used <RelativeTime value={credential.last_used_at} />.</>;
}
