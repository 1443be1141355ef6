/** Where the search field leads. */
export type Destination =
  | { kind: 'credential'; accessKeyId: string }
  | { kind: 'request'; requestId: string }
  | { kind: 'bucket'; backend: string; bucket: string }
  | { kind: 'account'; name: string }
  | { kind: 'credentials'; q: string };

/** What an administrator can go to by name. */
export interface Names {
  /** As BACKEND/BUCKET. */
  buckets: readonly string[];
  accounts: readonly string[];
}

export const nothing: Names = { buckets: [], accounts: [] };

const accessKey = /^AKIA[A-Z0-9]{16}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const s3RequestId = /^[0-9A-F]{16}$/;

/** Finds out what a text names. What nothing is called is looked for among the credentials. */
export function destination(text: string, { buckets, accounts }: Names = nothing): Destination | undefined {
  const named = text.trim();
  if (named === '') {
    return undefined;
  }
  if (accessKey.test(named)) {
    return { kind: 'credential', accessKeyId: named };
  }
  if (uuid.test(named)) {
    return { kind: 'request', requestId: named.toLowerCase() };
  }
  if (s3RequestId.test(named)) {
    return { kind: 'request', requestId: named };
  }
  const places = buckets.filter((place) => place === named || place.slice(place.indexOf('/') + 1) === named);
  const [place] = places;
  if (place !== undefined && places.length === 1) {
    return { kind: 'bucket', backend: place.slice(0, place.indexOf('/')), bucket: place.slice(place.indexOf('/') + 1) };
  }
  if (accounts.includes(named)) {
    return { kind: 'account', name: named };
  }
  return { kind: 'credentials', q: named };
}

const most = 6;

/** What is offered while a text is typed: names that contain it, those that begin with it first. */
export function offered(text: string, { buckets, accounts }: Names): Names {
  const typed = text.trim().toLowerCase();
  if (typed === '') {
    return nothing;
  }
  const fitting = (names: readonly string[], own: (name: string) => string) => names
    .filter((name) => name.toLowerCase().includes(typed))
    .sort((a, b) => Number(!own(a).startsWith(typed)) - Number(!own(b).startsWith(typed)))
    .slice(0, most);
  return { buckets: fitting(buckets, (place) => place.slice(place.indexOf('/') + 1)), accounts: fitting(accounts, (name) => name) };
}
