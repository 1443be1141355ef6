import { TextInput } from '@mantine/core';
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

const blank: BackendFields = { endpoint: '', region: 'us-east-1', pathStyle: true, accessKeyId: '', forceHashing: false, scratch: '' };

/** Adds a backend and leads to its test. */
export function AddBackend({ onClose }: { onClose: () => void }) {
  const [id, setId] = useState('');
  const [fields, setFields] = useState(blank);
  const secret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const add = useAction(async () => {
    const { requestId } = await send(api.POST('/api/backends', {
      body: {
        id, kind: 's3', endpoint: fields.endpoint.trim(), region: fields.region.trim(), path_style: fields.pathStyle,
        access_key_id: fields.accessKeyId.trim(), secret_access_key: secret.current?.value ?? '',
        force_hashing: fields.forceHashing, scratch: fields.scratch.trim(),
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
        fields={fields} onChange={(patch) => setFields({ ...fields, ...patch })} secret={secret} secretRequired secretHint="Sealed in the store and never shown again"
        error={add.error} failure="The backend was not added" busy={add.busy} submit="Add backend" onSubmit={() => void add.run()} onClose={onClose}
      >
        <TextInput
          label="Id" description="What grants call it; it cannot be changed later" placeholder="ceph-1" required data-autofocus
          autoComplete="off" autoCapitalize="none" spellCheck={false}
          value={id} onChange={(event) => setId(event.currentTarget.value)} error={faultOf(add.error, 'id')}
        />
      </BackendForm>
    </Dialog>
  );
}
