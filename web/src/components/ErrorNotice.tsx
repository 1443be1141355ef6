import { Alert, Button, Group, List, Stack, Text } from '@mantine/core';

import { type ApiError, asApiError } from '../api/client';
import { capital } from '../lib/text';
import { IconWarning } from './icons';
import { MonoId } from './MonoId';

interface ErrorNoticeProps {
  /** What failed, as in "The credentials could not be read". */
  title: string;
  error: unknown;
  onRetry?: () => void;
  /** Faults that are shown at their fields and not repeated here. */
  shown?: (field: string) => boolean;
}

/** What the reader can do about an error. */
function remedy(error: ApiError): string {
  switch (error.code) {
    case 'unreachable':
      return 'Check that the server runs and that the network reaches it, then try again.';
    case 'throttled':
      return error.retryAfter ? `Try again in ${error.retryAfter} seconds.` : 'Wait a little, then try again.';
    case 'committed_not_confirmed':
      return 'Repeating it is safe.';
    case 'unavailable':
      return 'Try again; if it stays so, look at the health of the backends and the store.';
    case 'denied':
      return 'Ask an administrator if you need it.';
    case 'csrf':
    case 'page':
      return 'Reload the page and try again.';
    case 'internal':
      return 'The server’s log says more under the request id.';
    default:
      return '';
  }
}

/** Says what failed, why, what to do, and the request id. */
export function ErrorNotice({ title, error, onRetry, shown }: ErrorNoticeProps) {
  const fault = asApiError(error);
  const rest = fault.faults.filter((f) => !shown?.(f.field));
  return (
    <Alert color="danger" variant="outline" icon={<IconWarning />} title={title} role="alert">
      <Stack gap="xs">
        <Text>
          {capital(fault.message)}. {remedy(fault)}
        </Text>
        {rest.length > 0 && (
          <List size="sm">
            {rest.map((f) => (
              <List.Item key={`${f.field} ${f.message}`}>
                <code>{f.field}</code> {f.message}
              </List.Item>
            ))}
          </List>
        )}
        {(onRetry || fault.requestId) && (
          <Group gap="sm">
            {onRetry && <Button variant="default" onClick={onRetry}>Try again</Button>}
            {fault.requestId && (
              <Text c="dimmed" span>
                Request <MonoId value={fault.requestId} what="request id" max={40} />
              </Text>
            )}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
