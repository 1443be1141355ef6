import { useCallback, useRef, useState } from 'react';

import { ApiError, asApiError } from '../api/client';

export interface Action<Args extends unknown[], Result> {
  /** Runs it, unless it is running. Resolves to undefined where it failed. */
  run: (...args: Args) => Promise<Result | undefined>;
  busy: boolean;
  error: ApiError | undefined;
  reset: () => void;
}

/**
 * A change at the server with its progress and error. The result goes to the
 * caller and is kept nowhere: it may hold a secret.
 */
export function useAction<Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>): Action<Args, Result> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const running = useRef(false);
  const run = async (...args: Args) => {
    if (running.current) {
      return undefined;
    }
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      return await act(...args);
    } catch (thrown) {
      setError(asApiError(thrown));
      return undefined;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  const reset = useCallback(() => setError(undefined), []);
  return { run, busy, error, reset };
}
