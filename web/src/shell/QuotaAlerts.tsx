import { Alert } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { api, type Schemas, send } from '../api/client';
import { useAccount } from '../api/session';
import { IconWarning } from '../components/icons';
import { RelativeTime } from '../components/RelativeTime';
import { size } from '../lib/size';

type Alerts = Schemas['QuotaAlerts'];

const alertsQuery = queryOptions({
  queryKey: ['quota-alerts'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/quota-alerts', { signal }))).data,
  refetchInterval: 30_000,
});

/** How many buckets are named before the others are counted. */
const named = 3;

/** Tells admins on every page which caps are met. It goes when the cause does. */
export function QuotaAlerts() {
  const { role } = useAccount();
  const alerts = useQuery({ ...alertsQuery, enabled: role === 'admin' }).data;
  return (
    <>
      {alerts && alerts.refused.length > 0 && <Refused refused={alerts.refused} />}
      {alerts && alerts.soft.length > 0 && <Soft soft={alerts.soft} />}
    </>
  );
}

function Refused({ refused }: { refused: Alerts['refused'] }) {
  return (
    <Alert color="danger" variant="outline" icon={<IconWarning />} role="alert" mb="md" title="A hard cap refused writes in the last day">
      <Names count={refused.length}>
        {refused.slice(0, named).map((one) => (
          <li key={`${one.backend}/${one.bucket}`}>
            <BucketLink {...one} />, <RelativeTime value={one.at} /> (<Link to="/admin/audit/$eventId" params={{ eventId: one.event_id }}>event</Link>)
          </li>
        ))}
      </Names>
      Free space, or change the cap.
    </Alert>
  );
}

function Soft({ soft }: { soft: Alerts['soft'] }) {
  return (
    <Alert color="warn" variant="outline" icon={<IconWarning />} role="status" mb="md" title="Buckets are over their soft caps">
      <Names count={soft.length}>
        {soft.slice(0, named).map((one) => <li key={`${one.backend}/${one.bucket}`}><BucketLink {...one} />: {size(one.usage.used_bytes)} in {one.usage.used_objects.toLocaleString('en')} objects</li>)}
      </Names>
    </Alert>
  );
}

function Names({ count, children }: { count: number; children: ReactNode }) {
  return <ul style={{ margin: '4px 0', paddingInlineStart: 20 }}>{children}{count > named && <li>and {count - named} more</li>}</ul>;
}

function BucketLink({ backend, bucket }: { backend: string; bucket: string }) {
  return <Link to="/admin/backends/$backend" params={{ backend }} search={{ tab: 'buckets', q: bucket }}><code>{backend}/{bucket}</code></Link>;
}
