import { Button, Checkbox, Group, Radio, Stack, TextInput } from '@mantine/core';
import { type ReactNode, type RefObject, type SubmitEvent } from 'react';

import type { ApiError } from '../../api/client';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { SecretInput } from '../../components/SecretInput';

export interface BackendFields {
  endpoint: string;
  region: string;
  pathStyle: boolean;
  accessKeyId: string;
  forceHashing: boolean;
  scratch: string;
}

interface BackendFormProps {
  fields: BackendFields;
  onChange: (patch: Partial<BackendFields>) => void;
  secret: RefObject<HTMLInputElement | null>;
  /** What the secret's field says, and whether it must be filled. */
  secretHint: string;
  secretRequired: boolean;
  onSecretTyped?: (typed: boolean) => void;
  error: ApiError | undefined;
  failure: string;
  busy: boolean;
  submit: string;
  disabled?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  /** Fields before the endpoint. */
  children?: ReactNode;
}

const known = ['id', 'endpoint', 'region', 'access_key_id', 'secret_access_key', 'scratch'];

/** The fields of a backend. The secret stays in its input. */
export function BackendForm(props: BackendFormProps) {
  const { fields, onChange, error } = props;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onSubmit();
  };
  const text = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, required: true } as const;
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {props.children}
        <TextInput
          {...text} label="Endpoint" description="Scheme, host and port; no path" placeholder="https://s3.example.com" inputMode="url"
          value={fields.endpoint} onChange={(event) => onChange({ endpoint: event.currentTarget.value })} error={faultOf(error, 'endpoint')}
        />
        <TextInput
          {...text} label="Region" description="What requests are signed for; many servers take us-east-1"
          value={fields.region} onChange={(event) => onChange({ region: event.currentTarget.value })} error={faultOf(error, 'region')}
        />
        <Radio.Group label="Buckets are addressed in" value={fields.pathStyle ? 'path' : 'host'} onChange={(value) => onChange({ pathStyle: value === 'path' })}>
          <Group mt={4} gap="lg">
            <Radio size="sm" value="path" label="the path (path style)" />
            <Radio size="sm" value="host" label="the host name" />
          </Group>
        </Radio.Group>
        <TextInput
          {...text} label="Access key id" description="The key that the gateway signs with"
          value={fields.accessKeyId} onChange={(event) => onChange({ accessKeyId: event.currentTarget.value })} error={faultOf(error, 'access_key_id')}
        />
        <SecretInput
          label="Secret access key" description={props.secretHint} field={props.secret} required={props.secretRequired}
          onChange={(event) => props.onSecretTyped?.(event.currentTarget.value !== '')} error={faultOf(error, 'secret_access_key')}
        />
        <TextInput
          {...text} required={false} label="Scratch place" description="BUCKET/PREFIX for probes, where the key cannot create buckets" placeholder="bucket/probes"
          value={fields.scratch} onChange={(event) => onChange({ scratch: event.currentTarget.value })} error={faultOf(error, 'scratch')}
        />
        <Checkbox
          size="sm" label="Verify every body here" description="Costs CPU; without it, what the backend is proven to verify is left to it"
          checked={fields.forceHashing} onChange={(event) => onChange({ forceHashing: event.currentTarget.checked })}
        />
        {error && <ErrorNotice title={props.failure} error={error} shown={(field) => known.includes(field)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose} disabled={props.busy}>Cancel</Button>
          <Button type="submit" loading={props.busy} disabled={props.disabled ?? false}>{props.submit}</Button>
        </Group>
      </Stack>
    </form>
  );
}
