import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';

interface DetailDrawerProps {
  title: ReactNode;
  children: ReactNode;
  /** Goes back to the address of the list. */
  onClose: () => void;
}

/**
 * The details of one thing, beside its list. It is what a child route renders,
 * so that it has an address of its own.
 */
export function DetailDrawer({ title, children, onClose }: DetailDrawerProps) {
  return (
    <Drawer opened onClose={onClose} title={title} position="right" size={600} padding="md">
      {children}
    </Drawer>
  );
}
