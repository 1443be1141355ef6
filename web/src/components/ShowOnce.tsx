import { Button, Code, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { CopyButton } from './CopyButton';
import { Dialog } from './Dialog';
import { useKeepOpen } from './useKeepOpen';

interface ShowOnceProps {
  title: string;
  /** What it is, as in "token". */
  what: string;
  value: string;
  children?: ReactNode;
  onClose: () => void;
}

/** Shows a secret this once; only its own button closes it. */
export function ShowOnce({ title, what, value, children, onClose }: ShowOnceProps) {
  useKeepOpen();
  return (
    <Dialog title={title} held onClose={onClose}>
      <Stack gap="sm">
        {children}
        <Text>It is shown this once. Reloading or leaving the page does not bring it back.</Text>
        <Code block>{value}</Code>
        <Group justify="space-between" gap="xs">
          <CopyButton words text={value} what={what} />
          <Button onClick={onClose}>I have saved it</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
