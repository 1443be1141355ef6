import { Link, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useIsAdmin } from '../api/session';

interface AuditLinkProps {
  /** Shows the events of one request … */
  requestId?: string;
  /** … or of one access key. */
  accessKeyId?: string;
  children: ReactNode;
}

// Not in the type of the routes while the page is not among them.
const page: string = '/admin/audit';

/** Leads to the events of a request or key, for who may read the trail. */
export function AuditLink({ requestId, accessKeyId, children }: AuditLinkProps) {
  const router = useRouter();
  const admin = useIsAdmin();
  if (!admin || !(page in router.routesByPath)) {
    return null;
  }
  const search = requestId ? { request_id: requestId } : { access_key_id: accessKeyId };
  return <Link to={page} search={search as never}>{children}</Link>;
}
