import { ActionIcon, Button, Checkbox, Chip, Group, Input, SimpleGrid, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { useId, useState } from 'react';

import type { BackendBuckets } from '../../../api/buckets';
import { IconClose } from '../../../components/icons';
import { common, type Draft, grantOf, meantPrefix, type Permission, permissionLabel, prefixExample, rare } from '../../../lib/scope';
import { BucketPicker } from './BucketPicker';
import classes from './Scope.module.css';
import { AliasSentence } from './ScopeText';

interface GrantRowProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
  /** Absent: it is the only row. */
  onRemove: (() => void) | undefined;
  number: number;
  buckets: { groups: readonly BackendBuckets[]; loading: boolean };
  /** What the API finds wrong with a part of it. */
  fault: (part: string) => string | undefined;
}

/** One line of a scope: bucket, permissions, prefix, alias. */
export function GrantRow({ draft, onChange, onRemove, number, buckets, fault }: GrantRowProps) {
  const set = (part: Partial<Draft>) => onChange({ ...draft, ...part });
  const told = fault('bucket') ?? fault('backend');
  const bucketFault = told && draft.place === '' ? 'Choose a bucket' : told;
  return (
    <fieldset className={classes.row} aria-label={`Bucket scope ${number}`}>
      <Stack gap="sm">
        <Group align="flex-start" gap="xs" wrap="nowrap">
          <div style={{ flex: 1, minWidth: 0 }}>
            <BucketPicker {...buckets} value={draft.place} onChange={(place) => set({ place })} error={bucketFault} />
          </div>
          {onRemove && (
            <Tooltip label="Remove this bucket">
              <ActionIcon variant="subtle" color="gray" size={36} mt={22} onClick={onRemove} aria-label={`Remove bucket scope ${number}`}>
                <IconClose />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
        <Permissions chosen={draft.permissions} onChange={(permissions) => set({ permissions })} error={fault('permissions')} />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <Stack gap={4}>
            <TextInput
              label="Prefix" placeholder="whole bucket" classNames={{ input: 'mono' }} spellCheck={false} autoCapitalize="none" autoComplete="off"
              value={draft.prefix} onChange={(event) => set({ prefix: event.currentTarget.value })} error={fault('prefix')}
            />
            <PrefixHint draft={draft} onExact={(exact) => set({ exact })} />
          </Stack>
          <Stack gap={4}>
            <TextInput
              label="Alias" placeholder="the bucket’s own name" classNames={{ input: 'mono' }} spellCheck={false} autoCapitalize="none" autoComplete="off"
              value={draft.alias} onChange={(event) => set({ alias: event.currentTarget.value })} error={fault('alias')}
            />
            {draft.alias.trim() !== '' && <Text size="xs" c="dimmed"><AliasSentence grant={grantOf(draft)} /></Text>}
          </Stack>
        </SimpleGrid>
      </Stack>
    </fieldset>
  );
}

interface PermissionsProps {
  chosen: readonly Permission[];
  onChange: (chosen: readonly Permission[]) => void;
  error: string | undefined;
}

function Permissions({ chosen, onChange, error }: PermissionsProps) {
  const [all, setAll] = useState(rare.some((permission) => chosen.includes(permission)));
  const label = useId();
  const toggle = (permission: Permission) =>
    onChange(chosen.includes(permission) ? chosen.filter((p) => p !== permission) : [...chosen, permission]);
  return (
    <Input.Wrapper label="May" labelElement="div" labelProps={{ id: label }} required error={error}>
      <Group gap={6} role="group" aria-labelledby={label}>
        {[...common, ...(all ? rare : [])].map((permission) => (
          <Chip key={permission} size="sm" radius="sm" checked={chosen.includes(permission)} onChange={() => toggle(permission)}>
            {permissionLabel(permission)}
          </Chip>
        ))}
        {!all && <Button variant="subtle" color="gray" px={6} onClick={() => setAll(true)}>More …</Button>}
      </Group>
    </Input.Wrapper>
  );
}

/** What a prefix matches and what not, and whether a slash ends it. */
function PrefixHint({ draft, onExact }: { draft: Draft; onExact: (exact: boolean) => void }) {
  const prefix = meantPrefix(draft);
  if (prefix === '') {
    return null;
  }
  const { matches, misses } = prefixExample(prefix);
  return (
    <>
      <Text size="xs" c="dimmed">
        Matches <code className={classes.name}>{matches}</code>, not <code className={classes.name}>{misses}</code>
      </Text>
      {!draft.prefix.endsWith('/') && (
        <Checkbox size="xs" label="As typed, without a slash at the end" checked={draft.exact} onChange={(event) => onExact(event.currentTarget.checked)} />
      )}
    </>
  );
}
