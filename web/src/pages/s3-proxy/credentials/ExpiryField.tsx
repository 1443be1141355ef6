import { Select, Stack, TextInput } from '@mantine/core';

import { type Expiry, presets } from '../../../lib/expiry';

interface ExpiryFieldProps {
  value: Expiry;
  onChange: (value: Expiry) => void;
  /** While editing: what it is now. */
  current?: string | undefined;
  error: string | undefined;
}

/** When a key ends: never, after a while, or at a date. */
export function ExpiryField({ value, onChange, current, error }: ExpiryFieldProps) {
  const data = [
    ...(current ? [{ value: 'keep', label: current }] : []),
    { value: 'never', label: 'Never' },
    ...presets.map((preset) => ({ ...preset, label: `In ${preset.label}` })),
    { value: 'date', label: 'On a date' },
  ];
  const dated = value.choice === 'date';
  return (
    <Stack gap="xs">
      <Select
        label="Expires" data={data} value={value.choice} allowDeselect={false} error={!dated && error}
        onChange={(choice) => onChange({ ...value, choice: choice ?? 'never' })}
      />
      {dated && (
        <TextInput
          type="datetime-local" label="Date and time" value={value.date} required error={error}
          onChange={(event) => onChange({ ...value, date: event.currentTarget.value })}
        />
      )}
    </Stack>
  );
}
