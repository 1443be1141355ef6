import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode, SubmitEvent } from 'react';

import { Dialog } from '../../components/Dialog';
import { ErrorNotice } from '../../components/ErrorNotice';
import type { ApiError } from '../../api/client';

interface ChangeFormProps {
  title: string;
  /** The button: a verb with its object. */
  confirm: string;
  /** The title of a refusal. */
  refused: string;
  /** Faults that stand at their fields. */
  fields: readonly string[];
  change: { busy: boolean; error: ApiError | undefined };
  onSubmit: () => void;
  children: ReactNode;
  disabled?: boolean;
  onClose: () => void;
}

/** The frame of the forms that change one thing of a user. */
export function ChangeForm({ title, confirm, refused, fields, change, onSubmit, children, disabled, onClose }: ChangeFormProps) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} busy={change.busy} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {children}
          {change.error && <ErrorNotice title={refused} error={change.error} shown={(field) => fields.includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={change.busy}>Cancel</Button>
            <Button type="submit" loading={change.busy} disabled={disabled ?? false}>{confirm}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
