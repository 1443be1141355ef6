import { Alert } from '@mantine/core';
import type { ReactNode } from 'react';

import type { ApiError } from '../../api/client';
import { ErrorNotice } from '../../components/ErrorNotice';
import { IconWarning } from '../../components/icons';

/** Says why a change of an account was refused: a conflict is about the last admin. */
export function explainRefusal(name: string, title: string): (error: ApiError) => ReactNode {
  return function Refusal(error) {
    if (error.code !== 'conflict') {
      return <ErrorNotice title={title} error={error} />;
    }
    return (
      <Alert color="danger" variant="outline" icon={<IconWarning />} title={`${name} is the last active admin`} role="alert">
        Without one, nobody could manage Keystile. Make another account an admin, or enable one, then try again.
      </Alert>
    );
  };
}
