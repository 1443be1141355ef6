import { Group, Radio, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';

import { backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { faultOf } from '../../components/faults';
import { useAction } from '../../components/useAction';
import { type BackendFields, BackendForm } from './BackendForm';

const blank: BackendFields = {
  kind: 's3', endpoint: '', region: 'us-east-1', pathStyle: true, accessKeyId: '', forceHashing: false, scratch: '', adminEndpoint: '', adminAccessKeyId: '',
};
const sealed = 'Sealed in the store and never shown again';
const isKind = (value: string): value is BackendFields['kind'] => value === 's3' || value === 'ceph-rgw';

/** Adds a backend and leads to its test. */
export function AddBackend({ onClose }: { onClose: () => void }) {
  const [id, setId] = useState('');
  const [fields, setFields] = useState(blank);
  const secret = useRef<HTMLInputElement>(null);
  const adminSecret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const add = useAction(async () => {
    const { requestId } = await send(api.POST('/api/backends', {
      body: {
        id, kind: fields.kind, endpoint: fields.endpoint.trim(), region: fields.region.trim(), path_style: fields.pathStyle,
        access_key_id: fields.accessKeyId.trim(), secret_access_key: secret.current?.value ?? '',
        force_hashing: fields.forceHashing, scratch: fields.scratch.trim(),
        ...(fields.kind === 'ceph-rgw' ? {
          admin_endpoint: fields.adminEndpoint.trim(), admin_access_key_id: fields.adminAccessKeyId.trim(), admin_secret_access_key: adminSecret.current?.value ?? '',
        } : {}),
      },
    }));
    await queryClient.invalidateQueries(backendsQuery);
    onClose();
    tellDone(`Backend ${id} added.`, requestId);
    await navigate({ to: '/admin/backends/$backend', params: { backend: id }, search: { tab: 'test' } });
  });
  return (
    <Dialog title="Add backend" busy={add.busy} onClose={onClose}>
      <BackendForm
        fields={fields} onChange={(patch) => setFields({ ...fields, ...patch })}
        secret={{ field: secret, hint: sealed, required: true }} adminSecret={{ field: adminSecret, hint: sealed, required: true }}
        error={add.error} failure="The backend was not added" busy={add.busy} submit="Add backend" onSubmit={() => void add.run()} onClose={onClose}
      >
        <TextInput
          label="Id" description="What grants call it; it cannot be changed later" placeholder="ceph-1" required data-autofocus
          autoComplete="off" autoCapitalize="none" spellCheck={false}
          value={id} onChange={(event) => setId(event.currentTarget.value)} error={faultOf(add.error, 'id')}
        />
        <Radio.Group
          label="Kind" value={fields.kind} onChange={(kind) => isKind(kind) && setFields({ ...fields, kind })} error={faultOf(add.error, 'kind')}
          description={fields.kind === 'ceph-rgw' ? 'RGW users are made, renewed and deleted at the Ceph' : 'RGW users live at the gateway, and use this storage through it alone'}
        >
          <Group mt={4} gap="lg">
            <Radio size="sm" value="s3" label="S3" />
            <Radio size="sm" value="ceph-rgw" label="Ceph RGW" />
          </Group>
        </Radio.Group>
      </BackendForm>
    </Dialog>
  );
}
