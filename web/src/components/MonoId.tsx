import { Tooltip, UnstyledButton } from '@mantine/core';

import { middle } from '../lib/text';
import classes from './MonoId.module.css';
import { useCopy } from './useCopy';

interface MonoIdProps {
  value: string;
  /** What it is, for the tooltip and for screen readers. */
  what?: string;
  /** How many characters are shown at most; the middle is left out. */
  max?: number;
}

/** An identifier in monospace that is copied by a click. */
export function MonoId({ value, what = 'id', max = 24 }: MonoIdProps) {
  const { state, copy } = useCopy(value);
  const label = { idle: `${value} (click copies)`, copied: 'Copied', failed: 'The browser refused to copy' }[state];
  const shown = middle(value, max);
  return (
    <Tooltip label={label}>
      {/* What is seen is a part of the name, for those who speak to the page (WCAG 2.5.3). */}
      <UnstyledButton className={classes.id} onClick={copy} aria-label={shown === value ? `Copy ${what} ${value}` : `Copy ${what} ${shown}, whole: ${value}`}>
        {shown}
      </UnstyledButton>
    </Tooltip>
  );
}
