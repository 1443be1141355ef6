import { Button, Checkbox, Group, Radio, Stack, TextInput } from '@mantine/core';
import { type ReactNode, type RefObject, type SubmitEvent } from 'react';

import type { ApiError } from '../../api/client';
import { ErrorNotice } from '../../components/ErrorNotice';
import { faultOf } from '../../components/faults';
import { SecretInput } from '../../components/SecretInput';
import { AdminAPIFields } from './AdminAPIFields';

export interface BackendFields {
  kind: 's3' | 'ceph-rgw';
  endpoint: string;
  region: string;
  pathStyle: boolean;
  accessKeyId: string;
  forceHashing: boolean;
  scratch: string;
  /** Of a Ceph alone. */
  adminEndpoint: string;
  adminAccessKeyId: string;
}

/** A secret's field: what it says, and whether it must be filled. */
export interface BackendSecret {
  field: RefObject<HTMLInputElement | null>;
  hint: string;
  required: boolean;
  onTyped?: (typed: boolean) => void;
}

interface BackendFormProps {
  fields: BackendFields;
  onChange: (patch: Partial<BackendFields>) => void;
  secret: BackendSecret;
  adminSecret: BackendSecret;
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

const known = ['id', 'kind', 'endpoint', 'region', 'access_key_id', 'secret_access_key', 'scratch'];
const knownOfCeph = [...known, 'admin_endpoint', 'admin_access_key_id', 'admin_secret_access_key'];

/** The fields of a backend. The secret stays in its input. */
export function BackendForm(props: BackendFormProps) {
  const { fields, onChange, error, secret } = props;
  const isCeph = fields.kind === 'ceph-rgw';
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
          label="Secret access key" description={secret.hint} field={secret.field} required={secret.required}
          onChange={(event) => secret.onTyped?.(event.currentTarget.value !== '')} error={faultOf(error, 'secret_access_key')}
        />
        {isCeph && <AdminAPIFields fields={fields} onChange={onChange} secret={props.adminSecret} error={error} />}
        <TextInput
          {...text} required={false} label="Scratch place" description="BUCKET/PREFIX for probes, where the key cannot create buckets" placeholder="bucket/probes"
          value={fields.scratch} onChange={(event) => onChange({ scratch: event.currentTarget.value })} error={faultOf(error, 'scratch')}
        />
        <Checkbox
          size="sm" label="Verify every body here" description="Costs CPU; without it, what the backend is proven to verify is left to it"
          checked={fields.forceHashing} onChange={(event) => onChange({ forceHashing: event.currentTarget.checked })}
        />
        {error && <ErrorNotice title={props.failure} error={error} shown={(field) => (isCeph ? knownOfCeph : known).includes(field)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose} disabled={props.busy}>Cancel</Button>
          <Button type="submit" loading={props.busy} disabled={props.disabled ?? false}>{props.submit}</Button>
        </Group>
      </Stack>
    </form>
  );
}
