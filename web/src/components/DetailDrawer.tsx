import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';

interface DetailDrawerProps {
  title: ReactNode;
  children: ReactNode;
  /** A dialog is open above it: Escape is for that one. */
  covered?: boolean;
  /** Goes back to the address of the list. */
  onClose: () => void;
}

/**
 * The details of one thing, beside its list. It is what a child route renders,
 * so that it has an address of its own.
 */
export function DetailDrawer({ title, children, covered, onClose }: DetailDrawerProps) {
  return (
    <Drawer opened onClose={onClose} title={title} position="right" size={640} padding="md" closeOnEscape={!covered} closeOnClickOutside={!covered}>
      {children}
    </Drawer>
  );
}
