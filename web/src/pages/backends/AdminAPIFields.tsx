import { Group, Stack, Text, TextInput } from '@mantine/core';

import type { ApiError } from '../../api/client';
import { CopyButton } from '../../components/CopyButton';
import { faultOf } from '../../components/faults';
import { SecretInput } from '../../components/SecretInput';
import type { BackendFields, BackendSecret } from './BackendForm';
import { capsCommand } from './words';

interface AdminAPIFieldsProps {
  fields: BackendFields;
  onChange: (patch: Partial<BackendFields>) => void;
  secret: BackendSecret;
  error: ApiError | undefined;
}

/** How a Ceph's Admin Ops API is reached, which has a key of its own. */
export function AdminAPIFields({ fields, onChange, secret, error }: AdminAPIFieldsProps) {
  const text = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <Stack gap="sm" role="group" aria-label="Admin Ops API">
      <Stack gap={2}>
        <Text inherit fw={600}>Admin Ops API</Text>
        <Text size="xs" c="dimmed">By it RGW users are managed. Its key belongs to a user of the Ceph with these capabilities:</Text>
        <Group gap={4} wrap="nowrap">
          <Text size="xs" miw={0} style={{ overflowWrap: 'anywhere' }}><code>{capsCommand}</code></Text>
          <CopyButton text={capsCommand} what="command" />
        </Group>
      </Stack>
      <TextInput
        {...text} label="Admin Ops endpoint" description="Empty where it is at the endpoint above" placeholder={fields.endpoint || 'https://rgw-admin.internal.example'} inputMode="url"
        value={fields.adminEndpoint} onChange={(event) => onChange({ adminEndpoint: event.currentTarget.value })} error={faultOf(error, 'admin_endpoint')}
      />
      <TextInput
        {...text} required label="Admin access key id" description="May be the key above, if it has the capabilities"
        value={fields.adminAccessKeyId} onChange={(event) => onChange({ adminAccessKeyId: event.currentTarget.value })} error={faultOf(error, 'admin_access_key_id')}
      />
      <SecretInput
        label="Admin secret access key" description={secret.hint} field={secret.field} required={secret.required}
        onChange={(event) => secret.onTyped?.(event.currentTarget.value !== '')} error={faultOf(error, 'admin_secret_access_key')}
      />
    </Stack>
  );
}
