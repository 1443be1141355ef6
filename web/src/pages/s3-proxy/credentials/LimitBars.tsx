import { Group, Progress, Stack, Text } from '@mantine/core';

import type { Credential } from './actions';
import { limitUses } from './limits';

/** How near a key is to its own limits, as bars; nothing where it has none. */
export function LimitBars({ quota }: { quota: Credential['quota'] }) {
  const uses = limitUses(quota);
  if (uses.length === 0) {
    return null;
  }
  return (
    <Stack component="section" aria-label="Limits of this key" gap="xs">
      {uses.map(({ name, text, percent, full }) => (
        <div key={name}>
          <Group justify="space-between" gap="xs">
            <Text size="sm">{name}</Text>
            <Text size="sm" c="dimmed">{text}{full && ', used up'}</Text>
          </Group>
          <Progress value={percent} color={full ? 'danger' : percent >= 80 ? 'warn' : 'accent'} size="sm" aria-label={`${name}: ${percent} %`} mt={4} />
        </div>
      ))}
    </Stack>
  );
}
