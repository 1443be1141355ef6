import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, send } from '../../../api/client';
import { Dialog } from '../../../components/Dialog';
import { tellDone } from '../../../components/done';
import { useAction } from '../../../components/useAction';
import { expiryBody } from '../../../lib/expiry';
import { grantOf, newDraft } from '../../../lib/scope';
import { type CredentialWithSecret, refreshCredentials } from './actions';
import { type CredentialChoice, CredentialForm } from './CredentialForm';
import { limitsOf, noLimits } from './limits';
import { SecretOnce } from './SecretOnce';

const blank: CredentialChoice = { description: '', drafts: [newDraft(1)], expiry: { choice: 'never', date: '' }, owner: '', limits: noLimits };

/** Makes a key and shows its secret, this once. The secret lives in this state alone. */
export function CreateCredential({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  const [made, setMade] = useState<{ credential: CredentialWithSecret; requestId: string }>();
  const create = useAction(async (choice: CredentialChoice) => {
    const limits = limitsOf(choice.limits);
    const { expires_at, ...expiry } = expiryBody(choice.expiry);
    const { data, requestId } = await send(api.POST('/api/credentials', {
      body: {
        description: choice.description,
        grants: choice.drafts.map(grantOf),
        ...expiry,
        ...(expires_at ? { expires_at } : {}),
        ...(choice.owner ? { owner: choice.owner } : {}),
        ...(limits && { quota: limits }),
      },
    }));
    setMade({ credential: data, requestId });
    void refreshCredentials(queryClient);
  });
  if (made) {
    const close = () => {
      setMade(undefined);
      onClose();
      tellDone(`Key ${made.credential.access_key_id} created.`, made.requestId);
    };
    return <SecretOnce title="Credential created" credential={made.credential} onClose={close} />;
  }
  return (
    <Dialog title="Create credential" width={680} busy={create.busy} onClose={onClose}>
      <CredentialForm
        initial={blank} submit="Create credential" failed="The credential was not created" busy={create.busy} error={create.error}
        onSubmit={(choice) => void create.run(choice)} onCancel={onClose}
      />
    </Dialog>
  );
}
