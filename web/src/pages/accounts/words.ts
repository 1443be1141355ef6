import type { Schemas } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';
import { counted } from '../../lib/text';

type Account = Schemas['Account'];
export type Role = Account['role'];

/** What a role may do, in the order of power. */
export const roles: readonly { value: Role; label: string; may: string }[] = [
  { value: 'admin', label: 'Admin', may: 'May do everything: credentials, backends, accounts, audit' },
  { value: 'user', label: 'User', may: 'Sees, rotates and revokes the credentials it owns' },
  { value: 'readonly', label: 'Readonly', may: 'Sees the credentials it owns, changes nothing' },
];

export const tones: Record<Account['status'], Tone> = { active: 'good', disabled: 'bad' };

export interface AccountFilter {
  name?: string | undefined;
  role?: string | undefined;
  status?: string | undefined;
}

/** Picks the accounts that fit all that is asked. */
export function fitting(accounts: readonly Account[], { name, role, status }: AccountFilter): Account[] {
  return accounts.filter((one) => (
    (name === undefined || one.name.includes(name.toLowerCase()))
    && (role === undefined || one.role === role)
    && (status === undefined || one.status === status)
  ));
}

/** The credentials of an owner, by what they are. */
export interface Owned {
  active: number;
  /** Active or not, but not revoked: all that can still end. */
  live: number;
  /** There are more than were read. */
  more: boolean;
}

export function ownedOf(statuses: readonly Schemas['Credential']['status'][], more: boolean): Owned {
  return {
    active: statuses.filter((status) => status === 'active').length,
    live: statuses.filter((status) => status !== 'revoked').length,
    more,
  };
}

/** Writes a count of credentials: "no credentials", "at least 1,000 credentials". */
export function credentialCount(n: number, more: boolean, kind = 'credential'): string {
  return n === 0 && !more ? `no ${kind}s` : `${more ? 'at least ' : ''}${counted(n, kind)}`;
}
