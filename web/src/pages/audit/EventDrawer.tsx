import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { visible } from '../../lib/text';
import { EventDetails } from './EventDetails';
import { eventQuery } from './events';

const route = getRouteApi('/admin/audit/$eventId');

/** One event, whole. */
export function EventDrawer() {
  const { eventId } = route.useParams();
  const navigate = route.useNavigate();
  const { data: event, error, refetch } = useQuery(eventQuery(eventId));
  const close = () => void navigate({ to: '/admin/audit', search: true, resetScroll: false });
  return (
    <DetailDrawer title={event ? <code>{visible(event.action)}</code> : 'Audit event'} onClose={close}>
      {event && <EventDetails event={event} />}
      {!event && error && <ErrorNotice title="The event could not be read" error={error} onRetry={() => void refetch()} />}
      {!event && !error && (
        <Stack gap="sm" aria-busy>
          {[40, 85, 60, 70, 50, 80, 65, 75].map((width) => <Skeleton key={width} height={16} width={`${width}%`} />)}
        </Stack>
      )}
    </DetailDrawer>
  );
}
