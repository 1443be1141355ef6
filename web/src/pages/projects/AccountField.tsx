import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { accountsQuery } from '../../api/accounts';
import { useIsAdmin } from '../../api/session';

interface AccountFieldProps {
  label: string;
  description: string;
  value: string;
  onChange: (name: string) => void;
  fault: string | undefined;
  /** Names that are not offered. */
  without?: ReadonlySet<string>;
  /** The focus begins here. */
  first?: boolean;
}

/** The name of an account. Admins are offered those there are; others may not list them. */
export function AccountField({ label, description, value, onChange, fault, without, first }: AccountFieldProps) {
  const isAdmin = useIsAdmin();
  const accounts = useQuery({ ...accountsQuery, enabled: isAdmin });
  const names = accounts.data?.filter(({ name, status }) => status === 'active' && !without?.has(name)).map(({ name }) => name) ?? [];
  return (
    <Autocomplete
      label={label} description={description} required autoComplete="off" autoCapitalize="none" spellCheck={false} {...(first ? { 'data-autofocus': true } : {})}
      data={names} limit={20} value={value} onChange={onChange} error={fault}
    />
  );
}
