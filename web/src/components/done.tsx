import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';

import { AuditLink } from './AuditLink';

/** Tells that a change is done, with the way to its audit event; of several changes, to all of their action. */
export function tellDone(message: string, requestId?: string, action?: string): void {
  notifications.show({
    message: (
      <Text component="span">
        {message} {requestId && <AuditLink requestId={requestId}>Show in audit</AuditLink>}
        {action && <AuditLink action={action}>Show in audit</AuditLink>}
      </Text>
    ),
    closeButtonProps: { 'aria-label': 'Dismiss' },
  });
}
