import type { RGWJob, RGWUser } from '../../api/rgw';
import type { Tone } from '../../components/StatusBadge';
import { size } from '../../lib/size';
import { counted } from '../../lib/text';

/** What a user's key is good for, as a word and its colour. */
export function statusOf({ state, status }: Pick<RGWUser, 'state' | 'status'>): { status: string; tone: Tone } {
  if (state !== 'live') {
    return { status: state === 'deleting' ? 'being deleted' : 'being made', tone: 'warn' };
  }
  return status === 'active' ? { status: 'active', tone: 'good' } : { status: 'disabled', tone: 'warn' };
}

/** A quota in words: "500 GiB", "unlimited", "500 GiB, not enforced". */
export function quotaText({ max_size_kb, enabled }: RGWUser['quota']): string {
  const bound = max_size_kb < 0 ? 'unlimited' : size(max_size_kb * 1024);
  return enabled || max_size_kb < 0 ? bound : `${bound}, not enforced`;
}

/** How much of a quota is used, from 0 to 1; undefined where nothing bounds or nothing is known. */
export function usedShare(used: number | null, { max_size_kb, enabled }: RGWUser['quota']): number | undefined {
  if (used === null || !enabled || max_size_kb < 0) {
    return undefined;
  }
  return max_size_kb === 0 ? 1 : Math.min(1, used / max_size_kb);
}

const kibPerGiB = 1024 * 1024;

/** A quota's size for a field in GiB; empty: unlimited. */
export function toGiB(kib: number): number | '' {
  return kib < 0 ? '' : kib / kibPerGiB;
}

/** What a field in GiB means in KiB; empty: unlimited. */
export function toKiB(gib: number | ''): number {
  return gib === '' ? -1 : Math.round(gib * kibPerGiB);
}

/** What somebody else changed at the Ceph, in words. */
export const driftWords: Record<NonNullable<RGWUser['drift']>[number], string> = {
  missing: 'The user is not there any more.',
  key_missing: 'Its access key is not there any more.',
  secret: 'Its access key has another secret: the one that was shown here last does not work there. Renew the key.',
  status: 'It is suspended there and active here, or the other way round.',
  quota: 'Its quota is another there.',
  name: 'Its name is another there.',
};

interface AccessChoice {
  /** The canned ACL. */
  value: string;
  means: string;
  /** What it does not open, or who else must. */
  but?: string;
}

const ownObjects = 'Who reads an object is said by the object’s own ACL';

/**
 * The canned ACLs that a bucket of a user may have, with what each opens: at a Ceph
 * the listing, for objects have ACLs of their own there; elsewhere reads too.
 */
export function accessChoices({ uid }: Pick<RGWUser, 'uid'>): AccessChoice[] {
  const mine = { value: 'private', means: 'Its owner alone' };
  if (!uid) {
    return [mine, { value: 'public-read', means: 'Everybody reads and lists' }];
  }
  return [
    mine,
    { value: 'public-read', means: 'Everybody lists it', but: ownObjects },
    { value: 'public-read-write', means: 'Everybody lists it, and stores, overwrites and deletes objects in it', but: ownObjects },
    { value: 'authenticated-read', means: 'Every user of the Ceph lists it', but: ownObjects },
  ];
}

/** How far a deletion has come, from 0 to 1, by buckets. */
export function progressOf({ buckets, buckets_left, state }: Pick<RGWJob, 'buckets' | 'buckets_left' | 'state'>): number {
  if (state === 'done') {
    return 1;
  }
  return buckets === 0 ? 0 : (buckets - buckets_left) / buckets;
}

/**
 * How fast a deletion is, and about how much longer it takes: "120 objects a second,
 * about 3 min left". Empty where the server does not know.
 */
export function paceOf({ objects_per_second: rate, seconds_left: left }: Pick<RGWJob, 'objects_per_second' | 'seconds_left'>): string {
  if (rate === null) {
    return '';
  }
  const text = `${counted(Math.round(rate), 'object')} a second`;
  return left === null ? text : `${text}, about ${span(left)} left`;
}

function span(seconds: number): string {
  if (seconds < 90) {
    return `${Math.ceil(seconds)} s`;
  }
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** The folder above a prefix: "a/b/" and "a/b" are in "a/". */
export function folderAbove(prefix: string): string {
  return prefix.slice(0, prefix.slice(0, -1).lastIndexOf('/') + 1);
}

/** The folders that lead to a prefix, from the outermost, each with its whole prefix. */
export function folders(prefix: string): { name: string; prefix: string }[] {
  const found: { name: string; prefix: string }[] = [];
  for (let end = prefix.indexOf('/'); end >= 0; end = prefix.indexOf('/', end + 1)) {
    const start = found.at(-1)?.prefix.length ?? 0;
    found.push({ name: prefix.slice(start, end), prefix: prefix.slice(0, end + 1) });
  }
  return found;
}
