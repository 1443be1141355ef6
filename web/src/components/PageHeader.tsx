import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface PageHeaderProps {
  title: string;
  /** One sentence under the title. */
  children?: ReactNode;
  /** Buttons at the right. */
  actions?: ReactNode;
}

/** The head of a page; also names the browser's tab. */
export function PageHeader({ title, children, actions }: PageHeaderProps) {
  return (
    <Group justify="space-between" align="flex-start" mb="sm" gap="sm">
      <title>{`${title} · Keystile`}</title>
      <div>
        <Title order={1}>{title}</Title>
        {children && <Text c="dimmed">{children}</Text>}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
