import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';

import { useCover } from './cover';

interface DialogProps {
  title: string;
  children: ReactNode;
  /** Work is under way: it stays open until that ends. */
  busy?: boolean;
  onClose: () => void;
}

/** A dialog with a form; a click beside it does not lose what was typed. Rendered only while it is open. */
export function Dialog({ title, children, busy = false, onClose }: DialogProps) {
  useCover();
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={false} closeOnEscape={!busy}>
      {children}
    </Modal>
  );
}
