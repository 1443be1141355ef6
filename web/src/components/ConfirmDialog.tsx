import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';

import type { ApiError } from '../api/client';
import { Dialog } from './Dialog';
import { ErrorNotice } from './ErrorNotice';
import { useAction } from './useAction';

interface ConfirmDialogProps {
  /** The question, with the thing's name. */
  title: string;
  /** What happens, and what breaks. */
  children: ReactNode;
  /** The button: a verb with its object, as in "Revoke key". */
  confirm: string;
  /** For what takes something away. */
  danger?: boolean;
  /** Does it; closes when it resolves, shows the error when it rejects. */
  action: () => Promise<unknown>;
  /** Says more about a refusal than the API does; absent: the API's words. */
  explain?: (error: ApiError) => ReactNode;
  onClose: () => void;
}

/** Asks once before harm. Rendered only while it is open. */
export function ConfirmDialog({ title, children, confirm, danger, action, explain, onClose }: ConfirmDialogProps) {
  const doing = useAction(async () => {
    await action();
    onClose();
  });
  return (
    <Dialog title={title} busy={doing.busy} light onClose={onClose}>
      <Stack gap="md">
        <div>{children}</div>
        {doing.error && (explain?.(doing.error) ?? <ErrorNotice title="That did not work" error={doing.error} />)}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={doing.busy} data-autofocus>
            Cancel
          </Button>
          <Button {...(danger ? { color: 'danger' } : {})} loading={doing.busy} onClick={() => void doing.run()}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
