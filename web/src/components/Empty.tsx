import { Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { CopyButton } from './CopyButton';

interface EmptyProps {
  /** One sentence. */
  children: ReactNode;
  /** The main action. */
  action?: ReactNode;
  /** The command that does the same. */
  command?: string;
}

/** What an empty list says. */
export function Empty({ children, action, command }: EmptyProps) {
  return (
    <Stack gap="sm" align="flex-start">
      <Text>{children}</Text>
      {action}
      {command && (
        <Group gap={4} wrap="nowrap">
          <Text c="dimmed" size="xs" miw={0} style={{ overflowWrap: 'anywhere' }}>
            or <code>{command}</code>
          </Text>
          <CopyButton text={command} what="command" />
        </Group>
      )}
    </Stack>
  );
}
