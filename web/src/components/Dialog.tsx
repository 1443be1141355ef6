import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';

import { useCover } from './cover';
import { useReturnFocus } from './useReturnFocus';

interface DialogProps {
  title: string;
  children: ReactNode;
  /** Work is under way: it stays open until that ends. */
  busy?: boolean;
  /** In pixels; one that is wide fills a phone. */
  width?: number;
  /** Only a button of its own closes it. */
  held?: boolean;
  /** A click beside it closes it too; a form would lose what was typed. */
  light?: boolean;
  onClose: () => void;
}

/** A dialog. Rendered only while it is open. */
export function Dialog({ title, children, busy = false, width, held = false, light = false, onClose }: DialogProps) {
  useCover();
  useReturnFocus();
  const phone = useMediaQuery('(max-width: 48em)');
  return (
    <Modal
      opened onClose={onClose} title={title} {...(width ? { size: width, fullScreen: phone } : {})}
      withCloseButton={!held} closeOnEscape={!held && !busy} closeOnClickOutside={light && !held && !busy}
    >
      {children}
    </Modal>
  );
}
