import { Progress, Stack, Text } from '@mantine/core';

import type { Credential } from './actions';
import { tightestUse } from './limits';

const colours = { ok: 'accent', near: 'warn', full: 'danger' } as const;

const whole = { whiteSpace: 'nowrap' } as const;

/** How near a key is to the tightest of its limits and its buckets' caps, as a bar. */
export function QuotaCell({ credential: { quota, status } }: { credential: Credential }) {
  const use = status === 'revoked' ? undefined : tightestUse(quota);
  if (!use) {
    return <Text c="dimmed" size="sm">none</Text>;
  }
  return (
    <Stack gap={2} miw={88}>
      <Text size="sm"><span style={whole}>{use.used}</span> of <span style={whole}>{use.cap}</span></Text>
      <Progress value={use.percent} color={colours[use.state]} size="sm" aria-label={`Quota of ${use.whose}: ${use.percent} %`} />
      <Text size="xs" c="dimmed">{use.whose}{use.note && `, ${use.note}`}</Text>
    </Stack>
  );
}
