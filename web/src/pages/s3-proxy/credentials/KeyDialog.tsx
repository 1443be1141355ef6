import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';

import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { SampleReads } from '../../../components/SampleReads';
import { actOn, type Credential, type Deed } from './actions';
import { EditCredential } from './EditCredential';
import { LastUse } from './LastUse';
import { RotateCredential } from './RotateCredential';

/** What can be asked about one key. */
export type Dialog = Deed | 'edit' | 'rotate' | 'sample';

interface KeyDialogProps {
  dialog: Dialog;
  credential: Credential;
  onClose: () => void;
}

const words: Record<Deed, { verb: string; then: string; danger: boolean }> = {
  disable: { verb: 'Disable key', then: 'It is refused at once, until it is enabled again. Requests in flight are cut.', danger: true },
  enable: { verb: 'Enable key', then: 'It works again with the secret that it has.', danger: false },
  revoke: { verb: 'Revoke key', then: 'It is refused at once, for good. Requests in flight are cut.', danger: true },
};

/** The dialog that was asked for. */
export function KeyDialog({ dialog, credential, onClose }: KeyDialogProps) {
  const queryClient = useQueryClient();
  if (dialog === 'edit') {
    return <EditCredential credential={credential} onClose={onClose} />;
  }
  if (dialog === 'rotate') {
    return <RotateCredential credential={credential} onClose={onClose} />;
  }
  if (dialog === 'sample') {
    return <SampleReads name={credential.access_key_id} reads={{ access_key_id: credential.access_key_id }} onClose={onClose} />;
  }
  const { verb, then, danger } = words[dialog];
  return (
    <ConfirmDialog
      title={`${verb} ${credential.access_key_id}?`} confirm={verb} danger={danger}
      action={() => actOn(queryClient, dialog, credential.access_key_id)} onClose={onClose}
    >
      <Text fw={600}>{credential.description}</Text>
      <Text>
        {then} <LastUse credential={credential} />
      </Text>
    </ConfirmDialog>
  );
}
