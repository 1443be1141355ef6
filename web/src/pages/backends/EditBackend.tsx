import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { type Backend, backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { useAction } from '../../components/useAction';
import { BackendForm } from './BackendForm';
import { changesOf, needsSecret } from './edit';

/** Edits a backend. A new endpoint or access key asks for the secret again. */
export function EditBackend({ backend, onClose }: { backend: Backend; onClose: () => void }) {
  const [fields, setFields] = useState({
    endpoint: backend.endpoint ?? '', region: backend.region, pathStyle: backend.path_style, accessKeyId: backend.access_key_id ?? '',
    forceHashing: backend.force_hashing, scratch: backend.scratch ?? '',
  });
  const [typed, setTyped] = useState(false);
  const secret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const changes = changesOf(backend, fields);
  const asks = needsSecret(changes);
  const save = useAction(async () => {
    const given = secret.current?.value ?? '';
    const { requestId } = await send(api.PATCH('/api/backends/{backend}', {
      params: { path: { backend: backend.id } }, body: { ...changes, ...(given ? { secret_access_key: given } : {}) },
    }));
    await queryClient.invalidateQueries(backendsQuery);
    void queryClient.invalidateQueries({ queryKey: ['buckets', backend.id] });
    onClose();
    tellDone(`Backend ${backend.id} changed.`, requestId);
  });
  return (
    <Dialog title={`Edit backend ${backend.id}`} busy={save.busy} onClose={onClose}>
      <BackendForm
        fields={fields} onChange={(patch) => setFields({ ...fields, ...patch })} secret={secret} onSecretTyped={setTyped} secretRequired={asks}
        secretHint={asks ? 'Needed again: a new endpoint or access key never gets the stored secret' : 'Leave it empty to keep the stored one'}
        error={save.error} failure="The backend was not changed" busy={save.busy} submit="Save backend"
        disabled={!typed && Object.keys(changes).length === 0} onSubmit={() => void save.run()} onClose={onClose}
      />
    </Dialog>
  );
}
