import type { ReactNode } from 'react';

import { useIsAdmin } from '../api/session';
import { PageMissing } from './PageStates';

/** A page that is not there for anybody but admins. The API refuses them too. */
export function AdminsOnly({ children }: { children: ReactNode }) {
  return useIsAdmin() ? children : <PageMissing />;
}
