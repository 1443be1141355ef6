import { createContext, useContext, useEffect } from 'react';

/** Counts the dialogs above a drawer. */
export const CoverContext = createContext<(by: 1 | -1) => void>(() => undefined);

/** Tells the drawer below that Escape and clicks are for this dialog. */
export function useCover(): void {
  const cover = useContext(CoverContext);
  useEffect(() => {
    cover(1);
    return () => cover(-1);
  }, [cover]);
}
