import { useBlocker } from '@tanstack/react-router';

/**
 * Holds the page while something is shown that cannot be shown again: links and
 * the browser's back do nothing, closing or reloading asks first.
 */
export function useKeepOpen(): void {
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: true });
}
