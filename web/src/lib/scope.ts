import type { Schemas } from '../api/client';
import { capital, sentenceList } from './text';

export type Grant = Schemas['Grant'];
export type Permission = Grant['permissions'][number];

/** The permissions that are offered first, in the order of reading. */
export const common: readonly Permission[] = ['read', 'list', 'write', 'delete'];
/** The ones that few keys need. */
export const rare: readonly Permission[] = ['acl', 'bypass-governance'];

/** A piece of a sentence, and how it is set. */
export interface Segment {
  text: string;
  as?: 'code' | 'strong';
}

const rareWords: Partial<Record<Permission, string>> = {
  acl: 'change ACLs',
  'bypass-governance': 'bypass governance locks',
};

/** Says in one sentence what a key may do. */
export function scopeSentence(grants: readonly Grant[]): Segment[] {
  const clauses = grants.filter((grant) => grant.bucket !== '' && grant.permissions.length > 0).map(clause);
  if (clauses.length === 0) {
    return [{ text: 'May do nothing.' }];
  }
  const segments: Segment[] = clauses.flatMap((parts, i) => [{ text: i === 0 ? 'May ' : '; may ' }, ...parts]);
  return [...segments, { text: '; may do nothing else.' }];
}

function clause(grant: Grant): Segment[] {
  const verbs = common.filter((permission) => grant.permissions.includes(permission));
  const extras = rare.filter((permission) => grant.permissions.includes(permission)).map((p) => rareWords[p] ?? p);
  const segments: Segment[] = [
    { text: `${sentenceList(verbs.length > 0 ? verbs : extras)} ${verbs.length > 0 ? '' : 'in '}${grant.prefix ? '' : 'all of '}` },
    { text: grant.prefix ? `${grant.bucket}/${grant.prefix}` : grant.bucket, as: 'code' },
    { text: ' on ' },
    { text: grant.backend, as: 'strong' },
  ];
  if (verbs.length > 0 && extras.length > 0) {
    segments.push({ text: ` and ${sentenceList(extras)} there` });
  }
  if (grant.alias) {
    segments.push({ text: ' under the name ' }, { text: grant.alias, as: 'code' });
  }
  return segments;
}

/** Says what an alias shows to the client; nothing without one, or without a bucket. */
export function aliasSentence(grant: Grant): Segment[] {
  if (!grant.alias || grant.bucket === '') {
    return [];
  }
  return [
    { text: 'The client sees ' },
    { text: grant.alias, as: 'code' },
    { text: ', which is ' },
    { text: grant.prefix ? `${grant.bucket}/${grant.prefix}` : grant.bucket, as: 'code' },
    { text: ' on ' },
    { text: grant.backend, as: 'strong' },
  ];
}

/** A sentence without its setting. */
export function plain(segments: readonly Segment[]): string {
  return segments.map((segment) => segment.text).join('');
}

/** A grant while it is being edited. */
export interface Draft {
  /** Tells the rows apart while they come and go. */
  id: number;
  /** BACKEND/BUCKET; empty: not chosen yet. */
  place: string;
  permissions: readonly Permission[];
  prefix: string;
  /** The prefix is meant as it is typed, without a slash at its end. */
  exact: boolean;
  alias: string;
}

/** Makes the first or next row. */
export function newDraft(id: number): Draft {
  return { id, place: '', permissions: ['read', 'list'], prefix: '', exact: false, alias: '' };
}

/** Takes a grant into the editor. */
export function draftOf(grant: Grant, id: number): Draft {
  const prefix = grant.prefix ?? '';
  return {
    id, prefix, place: `${grant.backend}/${grant.bucket}`, permissions: grant.permissions,
    exact: prefix !== '' && !prefix.endsWith('/'), alias: grant.alias ?? '',
  };
}

/** The prefix that is meant: a slash ends it, unless it is exact. */
export function meantPrefix({ prefix, exact }: Pick<Draft, 'prefix' | 'exact'>): string {
  return prefix === '' || exact || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** Makes the grant of a row. A bucket's name has no slash, and no backend's id has. */
export function grantOf(draft: Draft): Grant {
  const slash = draft.place.indexOf('/');
  const backend = slash < 0 ? '' : draft.place.slice(0, slash);
  const prefix = meantPrefix(draft);
  const order = [...common, ...rare];
  return {
    backend,
    bucket: draft.place.slice(slash + 1),
    permissions: order.filter((permission) => draft.permissions.includes(permission)),
    ...(prefix ? { prefix } : {}),
    ...(draft.alias.trim() ? { alias: draft.alias.trim() } : {}),
  };
}

/** A key that a prefix matches, and one that it does not, though it looks like it. */
export function prefixExample(prefix: string): { matches: string; misses: string } {
  if (prefix.endsWith('/')) {
    return { matches: `${prefix}a.jpg`, misses: `${prefix.slice(0, -1)}0/a.jpg` };
  }
  const other = prefix.length > 1 ? prefix.slice(0, -1) : prefix === 'x' ? 'y' : 'x';
  return { matches: `${prefix}0/a.jpg`, misses: `${other}/a.jpg` };
}

/** Names a permission on a toggle. */
export function permissionLabel(permission: Permission): string {
  return capital(rareWords[permission] ?? permission);
}
