import createClient from 'openapi-fetch';

import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Fault = Schemas['Fault'];

/** The JSON API, typed by its OpenAPI document. */
export const api = createClient<paths>();

/** What the API, or the way to it, answered instead of success. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly requestId = '',
    readonly faults: readonly Fault[] = [],
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A success with the id that its audit event has too. */
export interface Answer<Data> {
  data: Data;
  requestId: string;
}

/** Waits for a call and throws an ApiError for everything but success. */
export async function send<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Answer<Data>> {
  let result;
  try {
    result = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') {
      throw cause;
    }
    throw new ApiError('the server did not answer', 'unreachable', 0);
  }
  const { response } = result;
  if (!response.ok) {
    throw toError(result.error, response);
  }
  return { data: result.data as Data, requestId: response.headers.get('X-Request-Id') ?? '' };
}

function toError(body: unknown, response: Response): ApiError {
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const requestId = response.headers.get('X-Request-Id') ?? '';
  if (!isErrorBody(body)) {
    return new ApiError(`the server answered ${response.status}`, 'internal', response.status, requestId);
  }
  const { code, message, detail } = body.error;
  return new ApiError(
    message, code, response.status, body.request_id, detail?.faults ?? [], Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

function isErrorBody(body: unknown): body is Schemas['ErrorBody'] {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object';
}

/** Makes an ApiError of whatever was thrown. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) {
    return thrown;
  }
  return new ApiError(thrown instanceof Error ? thrown.message : 'something went wrong in this page', 'page', 0);
}
