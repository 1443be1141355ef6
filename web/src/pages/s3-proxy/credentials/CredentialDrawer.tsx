import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { useAccount } from '../../../api/session';
import { AuditLink } from '../../../components/AuditLink';
import { DetailDrawer } from '../../../components/DetailDrawer';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Facts } from '../../../components/Facts';
import { MonoId } from '../../../components/MonoId';
import { RelativeTime } from '../../../components/RelativeTime';
import { StatusBadge } from '../../../components/StatusBadge';
import { type Credential, credentialQuery, statusTones } from './actions';
import { type Dialog, KeyDialog } from './KeyDialog';
import { LimitBars } from './LimitBars';
import { useUsage } from './LastUse';
import classes from './Scope.module.css';
import { ScopeSentence } from './ScopeText';
import { UseIt } from './Snippets';

const page = getRouteApi('/admin/s3-proxy');

/** Everything about one key, and what can be done to it. */
export function CredentialDrawer() {
  const accessKeyId = useParams({ strict: false, select: (params) => params.accessKeyId ?? '' });
  const search = page.useSearch();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<Dialog>();
  const { data: credential, error, refetch } = useQuery(credentialQuery(accessKeyId));
  const close = () => void navigate({ to: '/admin/s3-proxy', search });
  return (
    <>
      <DetailDrawer title={<MonoId value={accessKeyId} what="access key id" max={40} />} covered={dialog !== undefined} onClose={close}>
        {credential && <Details credential={credential} onAsk={setDialog} />}
        {!credential && error && <ErrorNotice title="This credential could not be read" error={error} onRetry={() => void refetch()} />}
        {!credential && !error && <Skeleton height={320} />}
      </DetailDrawer>
      {credential && dialog && <KeyDialog dialog={dialog} credential={credential} onClose={() => setDialog(undefined)} />}
    </>
  );
}

interface DetailsProps {
  credential: Credential;
  onAsk: (dialog: Dialog) => void;
}

function Details({ credential, onAsk }: DetailsProps) {
  const { access_key_id: id, grants, quota } = credential;
  const usage = useUsage(id);
  return (
    <Stack gap="md">
      <Title order={2} className={classes.name}>{credential.description}</Title>
      <Actions credential={credential} onAsk={onAsk} />
      <Text className={classes.sentence}><ScopeSentence grants={grants} /></Text>
      <Facts
        items={[
          ['Status', <StatusBadge key="status" status={credential.status} tone={statusTones[credential.status]} />],
          ['Quota', quota.text],
          ['Last used', <RelativeTime key="used" value={credential.last_used_at} absent="never" />],
          ['Lately', usage?.text],
          ['Expires', <RelativeTime key="expires" value={credential.expires_at} absent="never" />],
          ['Owner', credential.owner ?? 'none'],
          ['Created', <span key="created"><RelativeTime value={credential.created_at} /> by {credential.created_by}</span>],
          ['Changed', <RelativeTime key="changed" value={credential.updated_at} />],
          ['Rotated', credential.rotated_at && <RelativeTime value={credential.rotated_at} />],
          ['Old secret ends', overlapOf(credential)],
          ['Disabled', credential.disabled_at && <RelativeTime value={credential.disabled_at} />],
          ['Revoked', credential.revoked_at && <RelativeTime value={credential.revoked_at} />],
        ]}
      />
      <LimitBars quota={quota} />
      <AuditLink accessKeyId={id}>Show what it did in the audit trail</AuditLink>
      <UseIt credential={credential} />
    </Stack>
  );
}

function overlapOf({ overlap_until: until }: Credential) {
  return until && new Date(until) > new Date() && <RelativeTime value={until} />;
}

function Actions({ credential, onAsk }: DetailsProps) {
  const { role } = useAccount();
  if (role === 'readonly' || credential.status === 'revoked') {
    return null;
  }
  const admin = role === 'admin';
  return (
    <Group gap="xs">
      {admin && <Button variant="default" onClick={() => onAsk('edit')}>Edit credential</Button>}
      <Button variant="default" onClick={() => onAsk('rotate')}>Rotate key</Button>
      {admin && <Button variant="default" onClick={() => onAsk('sample')}>Record reads</Button>}
      {admin && (credential.disabled_at
        ? <Button variant="default" onClick={() => onAsk('enable')}>Enable key</Button>
        : <Button variant="default" onClick={() => onAsk('disable')}>Disable key</Button>)}
      <Button color="danger" onClick={() => onAsk('revoke')}>Revoke key</Button>
    </Group>
  );
}
