import { useQueryClient } from '@tanstack/react-query';

import { api, send } from '../../../api/client';
import { Dialog } from '../../../components/Dialog';
import { tellDone } from '../../../components/done';
import { useAction } from '../../../components/useAction';
import { expiryBody } from '../../../lib/expiry';
import { draftOf, grantOf } from '../../../lib/scope';
import { utc } from '../../../lib/time';
import { type Credential, refreshCredentials } from './actions';
import { type CredentialChoice, CredentialForm } from './CredentialForm';
import { limitsChoice, limitsOf } from './limits';

interface EditCredentialProps {
  credential: Credential;
  onClose: () => void;
}

/** Changes description, scope, expiry and owner of a key. */
export function EditCredential({ credential, onClose }: EditCredentialProps) {
  const queryClient = useQueryClient();
  const initial: CredentialChoice = {
    description: credential.description,
    drafts: credential.grants.map((grant, i) => draftOf(grant, i + 1)),
    expiry: { choice: credential.expires_at ? 'keep' : 'never', date: '' },
    owner: credential.owner ?? '',
    limits: limitsChoice(credential.quota),
  };
  const save = useAction(async (choice: CredentialChoice) => {
    const { requestId } = await send(api.PATCH('/api/credentials/{access_key_id}', {
      params: { path: { access_key_id: credential.access_key_id } },
      body: changes(initial, choice),
    }));
    await refreshCredentials(queryClient);
    onClose();
    tellDone(`Key ${credential.access_key_id} changed.`, requestId);
  });
  return (
    <Dialog title={`Edit ${credential.access_key_id}`} width={680} busy={save.busy} onClose={onClose}>
      <CredentialForm
        initial={initial} submit="Save credential" failed="The credential was not changed" busy={save.busy} error={save.error}
        {...(credential.expires_at ? { currentExpiry: utc(new Date(credential.expires_at)) } : {})}
        onSubmit={(choice) => void save.run(choice)} onCancel={onClose}
      />
    </Dialog>
  );
}

/** Only what differs is sent, so that the audit event tells what was changed. */
function changes(before: CredentialChoice, after: CredentialChoice) {
  const grants = after.drafts.map(grantOf);
  return {
    ...(after.description !== before.description ? { description: after.description } : {}),
    ...(JSON.stringify(grants) !== JSON.stringify(before.drafts.map(grantOf)) ? { grants } : {}),
    ...(after.expiry.choice !== before.expiry.choice ? expiryBody(after.expiry) : {}),
    ...(JSON.stringify(limitsOf(after.limits)) !== JSON.stringify(limitsOf(before.limits)) ? { quota: limitsOf(after.limits) ?? null } : {}),
    ...(after.owner !== before.owner ? { owner: after.owner === '' ? null : after.owner } : {}),
  };
}
