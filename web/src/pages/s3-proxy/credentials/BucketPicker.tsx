import { Select } from '@mantine/core';
import { useState } from 'react';

import type { BackendBuckets } from '../../../api/buckets';

interface BucketPickerProps {
  groups: readonly BackendBuckets[];
  loading: boolean;
  /** BACKEND/BUCKET; empty: not chosen. */
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

const likeBucket = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Picks a bucket, by backend. A name that is not listed can be typed. */
export function BucketPicker({ groups, loading, value, onChange, error }: BucketPickerProps) {
  const [typed, setTyped] = useState('');
  const listed = groups.map(({ backend, buckets }) => ({ group: backend, items: buckets.map((bucket) => option(`${backend}/${bucket}`)) }));
  const places = new Set(listed.flatMap(({ items }) => items.map((item) => item.value)));
  const unlisted = [...new Set([value, ...guesses(typed, groups)])].filter((place) => place !== '' && !places.has(place));
  const data = [...listed, { group: 'Not listed', items: unlisted.map(option) }].filter(({ items }) => items.length > 0);
  return (
    <Select
      label="Bucket" required searchable placeholder={loading ? 'Reading buckets …' : 'Choose a bucket'} nothingFoundMessage="No such bucket"
      data={data} value={value === '' ? null : value} onChange={(next) => onChange(next ?? '')} onSearchChange={setTyped}
      error={error} maxDropdownHeight={280}
      renderOption={({ option: { value: place } }) => <code>{place.slice(place.indexOf('/') + 1)}</code>}
    />
  );
}

function option(place: string) {
  return { value: place, label: place };
}

/** What a typed text may mean: BACKEND/BUCKET, or a bucket on any of them. */
function guesses(typed: string, groups: readonly BackendBuckets[]): string[] {
  const slash = typed.indexOf('/');
  const bucket = typed.slice(slash + 1);
  if (!likeBucket.test(bucket)) {
    return [];
  }
  const backends = groups.map(({ backend }) => backend).filter((backend) => slash < 0 || backend === typed.slice(0, slash));
  return backends.map((backend) => `${backend}/${bucket}`);
}
