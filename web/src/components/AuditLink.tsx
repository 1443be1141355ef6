import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useIsAdmin } from '../api/session';

interface AuditLinkProps {
  /** Shows the events of one request … */
  requestId?: string;
  /** … or of one access key. */
  accessKeyId?: string;
  /** … or those whose action begins with this. */
  action?: string;
  children: ReactNode;
}

/** Leads to the events of a request, key or action, for who may read the trail. */
export function AuditLink({ requestId, accessKeyId, action, children }: AuditLinkProps) {
  if (!useIsAdmin()) {
    return null;
  }
  const search = {
    ...(requestId ? { request_id: requestId } : {}), ...(accessKeyId ? { access_key_id: accessKeyId } : {}), ...(action ? { action } : {}),
  };
  return <Link to="/admin/audit" search={search}>{children}</Link>;
}
