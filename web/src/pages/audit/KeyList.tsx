import { Group, Text } from '@mantine/core';

import { CopyButton } from '../../components/CopyButton';
import { visible } from '../../lib/text';
import classes from './KeyList.module.css';

interface KeyListProps {
  label: string;
  keys: readonly string[] | undefined;
}

/** Object keys, up to a thousand: as high as a few, the rest by scrolling. */
export function KeyList({ label, keys }: KeyListProps) {
  if (!keys || keys.length === 0) {
    return null;
  }
  const title = `${label} (${keys.length.toLocaleString('en')})`;
  return (
    <div>
      <Group gap={4} mt="xs">
        <Text c="dimmed">{title}</Text>
        <CopyButton text={keys.join('\n')} what={label.toLowerCase()} />
      </Group>
      {/* What scrolls must be in reach of the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={classes.keys} role="region" aria-label={title} tabIndex={0}>
        <ul>
          {keys.map((key, place) => <li key={place} className="mono">{visible(key)}</li>)}
        </ul>
      </div>
    </div>
  );
}
