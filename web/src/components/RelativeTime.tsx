import { Stack, Text, Tooltip } from '@mantine/core';
import { useSyncExternalStore } from 'react';

import { local, relative, utc } from '../lib/time';
import classes from './RelativeTime.module.css';

const tick = 15_000;

/** Now, to a quarter of a minute, so that all times of a page agree. */
function currentTick(): number {
  return Math.floor(Date.now() / tick);
}

function onTick(notify: () => void): () => void {
  const timer = setInterval(notify, tick);
  return () => clearInterval(timer);
}

interface RelativeTimeProps {
  value: string | null | undefined;
  /** In place of a time that is not there. */
  absent?: string;
}

/** A moment in relative words; exact UTC and local time on hover and focus. */
export function RelativeTime({ value, absent = '' }: RelativeTimeProps) {
  useSyncExternalStore(onTick, currentTick);
  if (!value) {
    return <Text span inherit c="dimmed">{absent}</Text>;
  }
  const moment = new Date(value);
  const exact = (
    <Stack gap={0}>
      <span>{utc(moment)}</span>
      <span>{local(moment)}</span>
    </Stack>
  );
  return (
    <Tooltip label={exact}>
      <time dateTime={value} className={classes.time}>
        {relative(moment, new Date())}
      </time>
    </Tooltip>
  );
}
