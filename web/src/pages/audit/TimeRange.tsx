import { Button, Popover, Stack, TextInput, UnstyledButton } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import { IconCheck, IconClock, IconDown } from '../../components/icons';
import { fieldValue, fromField, momentOf, presets, rangeLabel } from './range';
import classes from './TimeRange.module.css';

interface Range {
  since: string | undefined;
  until: string | undefined;
}

interface TimeRangeProps extends Range {
  onChange: (range: Range) => void;
}

/** Chooses a time range: one that ends now, or from and to. */
export function TimeRange({ since, until, onChange }: TimeRangeProps) {
  const [opened, setOpened] = useState(false);
  const label = rangeLabel(since, until);
  const choose = (range: Range) => {
    setOpened(false);
    onChange(range);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<IconClock />} rightSection={<IconDown />} onClick={() => setOpened(!opened)} aria-label={`Time range: ${label}`}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <div role="group" aria-label="Time range">
            {[{ value: undefined, label: 'Any time' }, ...presets].map((preset) => {
              const chosen = until === undefined && since === preset.value;
              return (
                <UnstyledButton key={preset.label} className={classes.preset} aria-pressed={chosen} onClick={() => choose({ since: preset.value, until: undefined })}>
                  {preset.label}
                  {chosen && <IconCheck />}
                </UnstyledButton>
              );
            })}
          </div>
          <FromTo since={since} until={until} onChange={choose} />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function FromTo({ since, until, onChange }: TimeRangeProps) {
  const [from, setFrom] = useState(() => shownIn(since));
  const [to, setTo] = useState(() => shownIn(until));
  const backwards = from !== '' && to !== '' && from >= to;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!backwards) {
      onChange({ since: fromField(from), until: fromField(to) });
    }
  };
  return (
    <form onSubmit={submit} className={classes.custom}>
      <TextInput type="datetime-local" step={1} label="From" description="By this device’s clock" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput
        type="datetime-local" step={1} label="To" value={to} onChange={(event) => setTo(event.currentTarget.value)}
        error={backwards && 'must be later than From'}
      />
      <Button type="submit" disabled={from === '' && to === ''}>Apply range</Button>
    </form>
  );
}

function shownIn(time: string | undefined): string {
  const moment = new Date(time === undefined ? Number.NaN : momentOf(time, new Date()));
  return Number.isNaN(moment.getTime()) ? '' : fieldValue(moment);
}
