import { Button, Group, Input, Select, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { accountsQuery } from '../../../api/accounts';
import type { ApiError } from '../../../api/client';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { faultOf } from '../../../components/faults';
import { type Expiry, expiryFault } from '../../../lib/expiry';
import type { Draft } from '../../../lib/scope';
import classes from './CredentialForm.module.css';
import { ExpiryField } from './ExpiryField';
import { type LimitFaults, type LimitsChoice, readLimits } from './limits';
import { LimitsField } from './LimitsField';
import { ScopeEditor } from './ScopeEditor';

/** What is chosen of a key. */
export interface CredentialChoice {
  description: string;
  drafts: readonly Draft[];
  expiry: Expiry;
  /** An account's name; empty: no owner. */
  owner: string;
  limits: LimitsChoice;
}

interface CredentialFormProps {
  initial: CredentialChoice;
  /** While editing: when it expires now, in words. */
  currentExpiry?: string;
  submit: string;
  failed: string;
  busy: boolean;
  error: ApiError | undefined;
  onSubmit: (choice: CredentialChoice) => void;
  onCancel: () => void;
}

const shown = /^(description|owner|quota\.(ceiling_bytes|ceiling_objects|allowance_bytes|allowance_per)|expires_at|expires_in|grants(\[\d+\]\.(backend|bucket|permissions|prefix|alias))?)$/;

/** The fields of a key, for making and for editing one. */
export function CredentialForm({ initial, currentExpiry, submit, failed, busy, error, onSubmit, onCancel }: CredentialFormProps) {
  const [choice, setChoice] = useState(initial);
  const [late, setLate] = useState<string>();
  const [limitFaults, setLimitFaults] = useState<LimitFaults>({});
  const accounts = useQuery(accountsQuery).data ?? [];
  const set = (part: Partial<CredentialChoice>) => setChoice({ ...choice, ...part });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const fault = expiryFault(choice.expiry, new Date());
    setLate(fault);
    const limits = readLimits(choice.limits);
    setLimitFaults('faults' in limits ? limits.faults : {});
    if (!fault && !('faults' in limits)) {
      onSubmit(choice);
    }
  };
  const owners = accounts.filter((account) => account.status === 'active' || account.name === choice.owner).map(({ name }) => name);
  return (
    <form onSubmit={send} noValidate>
      <Stack gap="md">
        <TextInput
          label="Description" description="Who or what uses it" required data-autofocus value={choice.description} maxLength={1024}
          onChange={(event) => set({ description: event.currentTarget.value })} error={faultOf(error, 'description')}
        />
        <Input.Wrapper label="Bucket scopes" labelElement="div">
          <ScopeEditor drafts={choice.drafts} onChange={(drafts) => set({ drafts })} fault={(field) => faultOf(error, field)} />
        </Input.Wrapper>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <ExpiryField
          value={choice.expiry} onChange={(expiry) => set({ expiry })} current={currentExpiry}
          error={late ?? faultOf(error, 'expires_at') ?? faultOf(error, 'expires_in')}
        />
        <Select
          label="Owner" placeholder="No owner" inputWrapperOrder={['label', 'input', 'description', 'error']}
          description="May see, rotate and revoke it; it dies with that account" clearable searchable
          data={owners} value={choice.owner === '' ? null : choice.owner} onChange={(owner) => set({ owner: owner ?? '' })}
          clearButtonProps={{ 'aria-label': 'Clear owner' }} error={faultOf(error, 'owner')}
        />
        </SimpleGrid>
        <LimitsField value={choice.limits} onChange={(limits) => set({ limits })} faults={limitFaults} error={error} />
        {error && <ErrorNotice title={failed} error={error} shown={(field) => shown.test(field)} />}
        <Group justify="flex-end" gap="xs" className={classes.actions}>
          <Button variant="default" onClick={onCancel} disabled={busy}>Cancel</Button>
          <Button type="submit" loading={busy}>{submit}</Button>
        </Group>
      </Stack>
    </form>
  );
}
