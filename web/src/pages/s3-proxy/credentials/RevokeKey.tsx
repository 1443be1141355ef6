import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useAccount } from '../../../api/session';
import { credentialQuery } from './actions';
import { KeyDialog } from './KeyDialog';

interface RevokeKeyProps {
  accessKeyId: string;
  className?: string | undefined;
}

/** Revoking, wherever a key is shown; nothing where it is revoked already or not one's own. */
export function RevokeKey({ accessKeyId, className }: RevokeKeyProps) {
  const { role } = useAccount();
  const { data: credential } = useQuery({ ...credentialQuery(accessKeyId), enabled: role !== 'readonly' });
  const [asking, setAsking] = useState(false);
  return credential && (
    <>
      {credential.status !== 'revoked' && (
        <Button
          size="compact-xs" variant="subtle" color="danger" className={className ?? ''}
          onClick={() => setAsking(true)} aria-label={`Revoke key ${accessKeyId}`}
        >
          Revoke key
        </Button>
      )}
      {asking && <KeyDialog dialog="revoke" credential={credential} onClose={() => setAsking(false)} />}
    </>
  );
}
