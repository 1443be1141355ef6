import { Button, Group, List, Text } from '@mantine/core';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useIsAdmin } from '../../../api/session';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { RelativeTime } from '../../../components/RelativeTime';
import { counted, uncapital } from '../../../lib/text';
import { actOnAll, type Credential, trafficQuery } from './actions';
import classes from './BulkBar.module.css';
import { together, usageText } from './usage';

interface BulkBarProps {
  credentials: readonly Credential[];
  onDone: () => void;
}

/** What can be done to the selected keys. */
export function BulkBar({ credentials, onDone }: BulkBarProps) {
  const admin = useIsAdmin();
  const [asking, setAsking] = useState<'disable' | 'revoke'>();
  const enabled = credentials.filter(({ status }) => status === 'active');
  return (
    <Group gap="xs" className={classes.bar} role="toolbar" aria-label="Selected keys">
      <Text>{counted(credentials.length, 'key')} selected</Text>
      {admin && <Button variant="default" disabled={enabled.length === 0} onClick={() => setAsking('disable')}>Disable keys</Button>}
      <Button color="danger" variant="outline" onClick={() => setAsking('revoke')}>Revoke keys</Button>
      <Button variant="subtle" color="gray" onClick={onDone}>Clear selection</Button>
      {asking && (
        <BulkDialog deed={asking} credentials={asking === 'disable' ? enabled : credentials} onClose={() => setAsking(undefined)} onDone={onDone} />
      )}
    </Group>
  );
}

interface BulkDialogProps extends BulkBarProps {
  deed: 'disable' | 'revoke';
  onClose: () => void;
}

function BulkDialog({ deed, credentials, onClose, onDone }: BulkDialogProps) {
  const queryClient = useQueryClient();
  const [count, setCount] = useState<number>();
  // The list is read again after each run: what is asked about stays as it was.
  const [asked] = useState(credentials);
  const verb = deed === 'disable' ? 'Disable' : 'Revoke';
  const keys = counted(asked.length, 'key');
  const traffic = useQueries({ queries: asked.map((credential) => trafficQuery(credential.access_key_id)) }).map(({ data }) => data);
  const sum = together(traffic);
  const act = async () => {
    await actOnAll(queryClient, deed, asked.map((credential) => credential.access_key_id), setCount);
    onDone();
  };
  return (
    <ConfirmDialog title={`${verb} ${keys}?`} confirm={`${verb} ${keys}`} danger action={act} onClose={onClose}>
      <Text mb="xs">
        {deed === 'disable' ? 'They are refused at once, until they are enabled again.' : 'They are refused at once, for good. Requests in flight are cut.'}
        {sum && ` Together: ${uncapital(usageText(sum))}.`}
      </Text>
      <List size="sm" className={classes.list}>
        {asked.map((credential, i) => (
          <List.Item key={credential.access_key_id}>
            <code>{credential.access_key_id}</code> {credential.description}
            <Text inherit c="dimmed">
              {traffic[i] && usageText(traffic[i])}
              {credential.last_used_at && <>; last used <RelativeTime value={credential.last_used_at} /></>}
            </Text>
          </List.Item>
        ))}
      </List>
      {count !== undefined && <Text c="dimmed" mt="xs" role="status">{count + 1} of {asked.length}</Text>}
    </ConfirmDialog>
  );
}
