import { Drawer } from '@mantine/core';
import { type ReactNode, useCallback, useState } from 'react';

import { CoverContext } from './cover';
import classes from './DetailDrawer.module.css';
import { useReturnFocus } from './useReturnFocus';

interface DetailDrawerProps {
  title: ReactNode;
  children: ReactNode;
  /** A dialog is open above it: Escape is for that one. Those rendered inside of it say so themselves. */
  covered?: boolean;
  /** Goes back to the address of the list. */
  onClose: () => void;
}

/**
 * The details of one thing, beside its list. It is what a child route renders,
 * so that it has an address of its own.
 */
export function DetailDrawer({ title, children, covered, onClose }: DetailDrawerProps) {
  const [address] = useState(window.location.pathname);
  useReturnFocus(() => linkTo(address));
  const [dialogs, setDialogs] = useState(0);
  const cover = useCallback((by: 1 | -1) => setDialogs((count) => count + by), []);
  const free = !covered && dialogs === 0;
  return (
    <Drawer
      opened onClose={onClose} position="right" size={640} padding="md" classNames={{ body: classes.body ?? '' }} closeOnEscape={free} closeOnClickOutside={free}
      // The focus begins here: on a control it would show that one's tooltip.
      title={<div tabIndex={-1} data-autofocus className={classes.title}>{title}</div>}
    >
      <CoverContext value={cover}>{children}</CoverContext>
    </Drawer>
  );
}

/** The link in the list that leads to a drawer. */
function linkTo(address: string): HTMLElement | undefined {
  return Array.from(document.querySelectorAll<HTMLAnchorElement>('main a[href]')).find(({ pathname }) => pathname === address);
}
