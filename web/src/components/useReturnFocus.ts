import { useEffect } from 'react';

/**
 * Gives the focus back to what had it when this dialog or drawer opened. Where
 * that is gone too, it goes to the fallback, or to what lies below.
 */
export function useReturnFocus(fallback?: () => HTMLElement | null | undefined): void {
  useEffect(() => {
    const opener = openerOf(document.activeElement);
    return () => {
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost) {
        [opener, fallback?.(), below()].find((element) => element?.isConnected)?.focus();
      }
    };
    // What was there when it opened counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
}

/** What opened it: of an item of a menu, which goes first, the menu's button. */
function openerOf(focused: Element | null): HTMLElement | null {
  const menu = focused?.closest('[role=menu]');
  if (menu) {
    return document.querySelector<HTMLElement>(`[aria-controls="${CSS.escape(menu.id)}"]`);
  }
  return focused instanceof HTMLElement && focused !== document.body ? focused : null;
}

/** The dialog or drawer that is still open, else the page. */
function below(): HTMLElement | null {
  const open = Array.from(document.querySelectorAll<HTMLElement>('[role=dialog] [data-autofocus]')).at(-1);
  return open ?? document.getElementById('main');
}
