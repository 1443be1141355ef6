import { ActionIcon, Button, Tooltip } from '@mantine/core';

import { IconCheck, IconCopy } from './icons';
import { type CopyState, useCopy } from './useCopy';

interface CopyButtonProps {
  text: string;
  /** What is copied, as in "Copy secret access key". */
  what: string;
  /** With words rather than a symbol alone. */
  words?: boolean;
}

function told(state: CopyState, idle: string): string {
  return { idle, copied: 'Copied', failed: 'The browser refused to copy' }[state];
}

/** Copies a text at a click and says so. */
export function CopyButton({ text, what, words }: CopyButtonProps) {
  const { state, copy } = useCopy(text);
  const icon = state === 'copied' ? <IconCheck /> : <IconCopy />;
  if (words) {
    return (
      <Button variant="default" leftSection={icon} onClick={copy} aria-live="polite">
        {told(state, `Copy ${what}`)}
      </Button>
    );
  }
  return (
    <Tooltip label={told(state, `Copy ${what}`)}>
      <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={told(state, `Copy ${what}`)}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
