import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { type Backend, backendsQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { useAction } from '../../components/useAction';
import { BackendForm } from './BackendForm';
import { changesOf, fieldsOf, needsAdminSecret, needsSecret } from './edit';

const hint = (asks: boolean) => (asks ? 'Needed again: a new endpoint or access key never gets the stored secret' : 'Leave it empty to keep the stored one');

/** Edits a backend. A new endpoint or access key asks for its secret again. */
export function EditBackend({ backend, onClose }: { backend: Backend; onClose: () => void }) {
  const [fields, setFields] = useState(() => fieldsOf(backend));
  const [typed, setTyped] = useState({ secret: false, admin: false });
  const secret = useRef<HTMLInputElement>(null);
  const adminSecret = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const changes = changesOf(backend, fields);
  const asks = needsSecret(changes);
  const asksAdmin = needsAdminSecret(backend, fields);
  const save = useAction(async () => {
    const given = secret.current?.value ?? '';
    const givenAdmin = adminSecret.current?.value ?? '';
    const { requestId } = await send(api.PATCH('/api/backends/{backend}', {
      params: { path: { backend: backend.id } }, body: { ...changes, ...(given ? { secret_access_key: given } : {}), ...(givenAdmin ? { admin_secret_access_key: givenAdmin } : {}) },
    }));
    await queryClient.invalidateQueries(backendsQuery);
    void queryClient.invalidateQueries({ queryKey: ['buckets', backend.id] });
    onClose();
    tellDone(`Backend ${backend.id} changed.`, requestId);
  });
  return (
    <Dialog title={`Edit backend ${backend.id}`} busy={save.busy} onClose={onClose}>
      <BackendForm
        fields={fields} onChange={(patch) => setFields({ ...fields, ...patch })}
        secret={{ field: secret, hint: hint(asks), required: asks, onTyped: (done) => setTyped({ ...typed, secret: done }) }}
        adminSecret={{ field: adminSecret, hint: hint(asksAdmin), required: asksAdmin, onTyped: (done) => setTyped({ ...typed, admin: done }) }}
        error={save.error} failure="The backend was not changed" busy={save.busy} submit="Save backend"
        disabled={!typed.secret && !typed.admin && Object.keys(changes).length === 0} onSubmit={() => void save.run()} onClose={onClose}
      />
    </Dialog>
  );
}
