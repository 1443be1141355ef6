import type { Member, Project } from '../../api/projects';

/** What an account may do in a project, in words. */
export const accessWords: Record<Member['access'], string> = {
  none: 'Nothing', read: 'See', write: 'See and change', owner: 'Own', admin: 'Administer',
};

/** What somebody is in a project: role and permission together. */
export type Place = 'member' | 'writer' | 'owner';

/** The places, in the order of power, with what the API calls them. */
export const places: readonly { value: Place; label: string; may: string; role: Member['role']; permissions: Member['permissions'] }[] = [
  { value: 'member', label: 'Member', may: 'Sees the project, its RGW users, their buckets and objects', role: 'member', permissions: [] },
  { value: 'writer', label: 'Member who may write', may: 'Also changes RGW users, their buckets and objects (rgw:write)', role: 'member', permissions: ['rgw:write'] },
  { value: 'owner', label: 'Owner', may: 'Also renames the project and manages its members', role: 'owner', permissions: [] },
];

export function placeOf({ role, permissions }: Pick<Member, 'role' | 'permissions'>): Place {
  return role === 'owner' ? 'owner' : permissions.includes('rgw:write') ? 'writer' : 'member';
}

export function placeLabel(member: Pick<Member, 'role' | 'permissions'>): string {
  return places.find(({ value }) => value === placeOf(member))?.label ?? member.role;
}

/** Why a member may do less than its place says; undefined: it may do that. */
export function lessened(member: Member): string | undefined {
  if (member.account_status === 'disabled') {
    return 'account is disabled';
  }
  return member.account_role === 'readonly' && member.access === 'read' && placeOf(member) !== 'member' ? 'account is readonly: sees, changes nothing' : undefined;
}

/** Whether one may manage a project's members and its name. */
export function manages({ access }: Pick<Project, 'access'>): boolean {
  return access === 'owner' || access === 'admin';
}

/** Picks the projects whose name or owner contains a text. */
export function fitting(projects: readonly Project[], q: string | undefined): Project[] {
  const text = q?.toLowerCase() ?? '';
  return projects.filter(({ name, owners }) => name.toLowerCase().includes(text) || owners.some((owner) => owner.includes(text)));
}
