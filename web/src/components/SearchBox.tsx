import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';

import { IconSearch } from './icons';

interface SearchBoxProps {
  label: string;
  /** The value in the address. */
  value: string | undefined;
  /** Puts it there, a moment after the last key. */
  onChange: (value: string | undefined) => void;
}

/** Searches a list; the text lives in the address. */
export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const [typed, setTyped] = useState(value ?? '');
  const [known, setKnown] = useState(value);
  if (value !== known) {
    // The address changed otherwise: a link, or the browser's back.
    setKnown(value);
    setTyped(value ?? '');
  }
  const put = useDebouncedCallback((text: string) => {
    const next = text.trim() === '' ? undefined : text.trim();
    setKnown(next);
    onChange(next);
  }, 250);
  return (
    <TextInput
      size="xs" w={260} type="search" aria-label={label} placeholder={label} leftSection={<IconSearch />} value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        put(event.currentTarget.value);
      }}
    />
  );
}
