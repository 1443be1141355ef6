import { Group, Progress, Text } from '@mantine/core';

import type { RGWUser } from '../../api/rgw';
import { Bytes } from '../../components/Bytes';
import { quotaText, usedShare } from './words';

/** What a user's buckets hold, against what they may. */
export function QuotaBar({ user: { buckets_total_size_kb: used, quota } }: { user: RGWUser }) {
  const share = usedShare(used, quota);
  return (
    <section aria-label="Quota">
      <Group justify="space-between" gap="xs">
        <Text>{used === null ? 'What its buckets hold is not known: the backend does not answer' : <>Its buckets hold <Bytes n={used * 1024} /></>}</Text>
        <Text c="dimmed">of {quotaText(quota)}</Text>
      </Group>
      {share !== undefined && (
        <Progress value={share * 100} color={share >= 1 ? 'danger' : share >= 0.8 ? 'warn' : 'accent'} aria-label={`Quota used: ${Math.round(share * 100)} %`} mt={4} />
      )}
      {share !== undefined && share >= 1 && <Text size="xs" mt={4}>Its quota is used up: writes that add to it are refused with 507 QuotaExceeded.</Text>}
    </section>
  );
}
