import type { ApiError } from '../api/client';
import { capital } from '../lib/text';

/** What is wrong with a field, as the API names it; undefined: nothing. */
export function faultOf(error: ApiError | undefined, field: string): string | undefined {
  const faults = error?.faults.filter((fault) => fault.field === field) ?? [];
  return faults.length > 0 ? faults.map((fault) => capital(fault.message)).join('. ') : undefined;
}
