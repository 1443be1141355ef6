import { Alert, Button, Stack, Text } from '@mantine/core';

import { asApiError } from '../../../api/client';
import { useBuckets } from '../../../api/buckets';
import { IconPlus, IconWarning } from '../../../components/icons';
import { type Draft, grantOf, newDraft } from '../../../lib/scope';
import { capital } from '../../../lib/text';
import { GrantRow } from './GrantRow';
import classes from './Scope.module.css';
import { ScopeSentence } from './ScopeText';

interface ScopeEditorProps {
  drafts: readonly Draft[];
  onChange: (drafts: readonly Draft[]) => void;
  /** What is wrong with a field, as the API names it: grants[0].prefix. */
  fault: (field: string) => string | undefined;
}

/** The scope of a key, one row per grant, and what it says in words. */
export function ScopeEditor({ drafts, onChange, fault }: ScopeEditorProps) {
  const { groups, loading, error } = useBuckets();
  const down = groups.filter((group) => group.error);
  const add = () => onChange([...drafts, newDraft(Math.max(0, ...drafts.map(({ id }) => id)) + 1)]);
  const faultOfAll = fault('grants');
  return (
    <Stack gap="xs">
      {error && <Alert color="danger" variant="outline" icon={<IconWarning />}>The backends could not be read: {asApiError(error).message}.</Alert>}
      {down.map(({ backend, error: cause }) => (
        <Alert key={backend} color="warn" variant="outline" icon={<IconWarning />} title={`${backend} does not list its buckets`}>
          {capital(asApiError(cause).message)}. A bucket’s name can still be typed.
        </Alert>
      ))}
      {drafts.map((draft, i) => (
        <GrantRow
          key={draft.id}
          draft={draft}
          number={i + 1}
          buckets={{ groups, loading }}
          onChange={(next) => onChange(drafts.map((other) => (other.id === next.id ? next : other)))}
          onRemove={drafts.length > 1 ? () => onChange(drafts.filter(({ id }) => id !== draft.id)) : undefined}
          fault={(part) => fault(`grants[${i}].${part}`)}
        />
      ))}
      {faultOfAll && <Text c="var(--mantine-color-error)" size="xs">{faultOfAll}</Text>}
      <Button variant="default" leftSection={<IconPlus />} onClick={add} style={{ alignSelf: 'flex-start' }}>
        Add bucket
      </Button>
      <Text className={classes.sentence} aria-live="polite">
        <ScopeSentence grants={drafts.map(grantOf)} />
      </Text>
    </Stack>
  );
}
