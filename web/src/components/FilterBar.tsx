import { Autocomplete, Button, Group, Menu, Popover, Select, Stack, TextInput, UnstyledButton } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';

import classes from './FilterBar.module.css';
import { IconClose, IconDown, IconPlus } from './icons';

/** One thing that a list can be narrowed by. Its name is the search parameter. */
export interface Filter<Name extends string> {
  name: Name;
  label: string;
  /** Values to choose from; absent: any text. */
  options?: readonly { value: string; label: string }[];
  placeholder?: string;
  /** Texts that are offered while one is written; any other is as good. */
  suggestions?: readonly string[];
  /** How a value is shown; absent: as it is. */
  show?: (value: string) => string;
}

interface FilterBarProps<Name extends string> {
  filters: readonly Filter<Name>[];
  /** The search parameters of the address. */
  values: Partial<Record<Name, string>>;
  /** Puts the changed ones into the address. */
  onChange: (patch: Partial<Record<Name, string | undefined>>) => void;
}

/** Filters as chips that live in the address. */
export function FilterBar<Name extends string>({ filters, values, onChange }: FilterBarProps<Name>) {
  const [adding, setAdding] = useState<Name>();
  const active = filters.filter((filter) => values[filter.name] !== undefined || filter.name === adding);
  const rest = filters.filter((filter) => !active.includes(filter));
  const set = (name: Name, value: string | undefined) => {
    setAdding(undefined);
    onChange({ [name]: value } as Partial<Record<Name, string | undefined>>);
  };
  return (
    <Group gap={6} role="group" aria-label="Filters">
      {active.map((filter) => (
        <Chip
          key={filter.name}
          filter={filter}
          value={values[filter.name]}
          opened={filter.name === adding}
          onSet={(value) => set(filter.name, value)}
          onCancel={() => setAdding(undefined)}
        />
      ))}
      {rest.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="subtle" color="gray" leftSection={<IconPlus />} px={6}>
              Filter
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {rest.map((filter) => (
              <Menu.Item key={filter.name} onClick={() => setAdding(filter.name)}>
                {filter.label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

interface ChipProps<Name extends string> {
  filter: Filter<Name>;
  value: string | undefined;
  opened: boolean;
  onSet: (value: string | undefined) => void;
  onCancel: () => void;
}

function Chip<Name extends string>({ filter, value, opened: initially, onSet, onCancel }: ChipProps<Name>) {
  const [opened, setOpened] = useState(initially);
  const close = () => {
    setOpened(false);
    onCancel();
  };
  const shown = value === undefined ? '…' : (filter.show?.(value) ?? filter.options?.find((o) => o.value === value)?.label ?? value);
  return (
    <span className={classes.chip}>
      <Popover opened={opened} onChange={(open) => (open ? setOpened(true) : close())} position="bottom-start" trapFocus shadow="md">
        <Popover.Target>
          <UnstyledButton className={classes.edit} onClick={() => (opened ? close() : setOpened(true))} aria-label={`Filter by ${filter.label}: ${shown}`}>
            <span className={classes.name}>{filter.label}</span> <b>{shown}</b>
            <IconDown />
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <Editor filter={filter} value={value} onSet={(next) => { setOpened(false); onSet(next); }} />
        </Popover.Dropdown>
      </Popover>
      <UnstyledButton className={classes.remove} onClick={() => onSet(undefined)} aria-label={`Remove filter ${filter.label}`}>
        <IconClose />
      </UnstyledButton>
    </span>
  );
}

function Editor<Name extends string>({ filter, value, onSet }: Pick<ChipProps<Name>, 'filter' | 'value' | 'onSet'>) {
  const [text, setText] = useState(value ?? '');
  if (filter.options) {
    return (
      <Select
        label={filter.label} data={[...filter.options]} value={value ?? null} data-autofocus searchable={filter.options.length > 8}
        comboboxProps={{ withinPortal: false }} onChange={(next) => onSet(next ?? undefined)}
      />
    );
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSet(text.trim() === '' ? undefined : text.trim());
  };
  const field = { label: filter.label, placeholder: filter.placeholder ?? '', value: text, 'data-autofocus': true };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        {filter.suggestions ? (
          <Autocomplete {...field} data={[...filter.suggestions]} onChange={setText} onOptionSubmit={onSet} comboboxProps={{ withinPortal: false }} />
        ) : (
          <TextInput {...field} onChange={(event) => setText(event.currentTarget.value)} />
        )}
        <Button type="submit">Apply filter</Button>
      </Stack>
    </form>
  );
}
