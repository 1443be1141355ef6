import { useEffect, useRef, useState } from 'react';

import { copyText } from './clipboard';

export type CopyState = 'idle' | 'copied' | 'failed';

/** Copies a text and tells for two seconds how it went. */
export function useCopy(text: string): { state: CopyState; copy: () => void } {
  const [state, setState] = useState<CopyState>('idle');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = () => {
    void copyText(text).then((copied) => {
      setState(copied ? 'copied' : 'failed');
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setState('idle'), 2000);
    });
  };
  return { state, copy };
}
