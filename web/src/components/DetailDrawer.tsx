import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';

import classes from './DetailDrawer.module.css';

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
    <Drawer
      opened onClose={onClose} position="right" size={640} padding="md" closeOnEscape={!covered} closeOnClickOutside={!covered}
      // The focus begins here: on a control it would show that one's tooltip.
      title={<div tabIndex={-1} data-autofocus className={classes.title}>{title}</div>}
    >
      {children}
    </Drawer>
  );
}
