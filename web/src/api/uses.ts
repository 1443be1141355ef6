import { api, type Schemas, send } from './client';

export type Credential = Schemas['Credential'];
export type Binding = Schemas['Binding'];

/** What names a backend, or one of its buckets. */
export interface Uses {
  credentials: readonly Credential[];
  bindings: readonly Binding[];
  /** Only so many credentials were looked at: there may be more. */
  partial: boolean;
}

const pageSize = 1000;
const maxPages = 5;

interface Place {
  backend: string;
  /** Absent: any bucket of the backend. */
  bucket?: string | undefined;
}

/** Whether something that names other lies in place. */
function within(place: Place, other: { backend: string; bucket: string }): boolean {
  return other.backend === place.backend && (place.bucket === undefined || other.bucket === place.bucket);
}

/** Picks what would refuse the removal of a place: revoked keys do not. */
export function usesOf(place: Place, credentials: readonly Credential[], bindings: readonly Binding[]): Pick<Uses, 'credentials' | 'bindings'> {
  return {
    credentials: credentials.filter((one) => one.status !== 'revoked' && one.grants.some((grant) => within(place, grant))),
    bindings: bindings.filter((one) => within(place, one)),
  };
}

/** Looks through credentials and bindings for those that name a place. For admins. */
export async function findUses(place: Place, signal: AbortSignal): Promise<Uses> {
  const bindings = await send(api.GET('/api/anonymous-bindings', { signal }));
  const credentials: Credential[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const query = { limit: pageSize, ...(cursor ? { cursor } : {}) };
    const { data } = await send(api.GET('/api/credentials', { params: { query }, signal }));
    credentials.push(...data.items);
    cursor = data.next_cursor;
    if (!cursor) {
      break;
    }
  }
  return { ...usesOf(place, credentials, bindings.data.items), partial: cursor !== undefined };
}
