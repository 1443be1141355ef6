import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { visible } from '../../lib/text';
import { credentialQuery } from '../s3-proxy/credentials/actions';
import { KeyDialog } from '../s3-proxy/credentials/KeyDialog';
import { EventDetails } from './EventDetails';
import { credentialOf, eventQuery } from './events';

const route = getRouteApi('/admin/audit/$eventId');

/** One event, whole. */
export function EventDrawer() {
  const { eventId } = route.useParams();
  const navigate = route.useNavigate();
  const { data: event, error, refetch } = useQuery(eventQuery(eventId));
  const close = () => void navigate({ to: '/admin/audit', search: true, resetScroll: false });
  const [revoking, setRevoking] = useState(false);
  return (
    <>
      <DetailDrawer title={event ? <code>{visible(event.action)}</code> : 'Audit event'} covered={revoking} onClose={close}>
        {event && <EventDetails event={event} onRevoke={() => setRevoking(true)} />}
        {!event && error && <ErrorNotice title="The event could not be read" error={error} onRetry={() => void refetch()} />}
        {!event && !error && (
          <Stack gap="sm" aria-busy>
            {[40, 85, 60, 70, 50, 80, 65, 75].map((width) => <Skeleton key={width} height={16} width={`${width}%`} />)}
          </Stack>
        )}
      </DetailDrawer>
      {event && revoking && <Revoke accessKeyId={credentialOf(event) ?? ''} onClose={() => setRevoking(false)} />}
    </>
  );
}

function Revoke({ accessKeyId, onClose }: { accessKeyId: string; onClose: () => void }) {
  const { data: credential } = useQuery(credentialQuery(accessKeyId));
  return credential && <KeyDialog dialog="revoke" credential={credential} onClose={onClose} />;
}
