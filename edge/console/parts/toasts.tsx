import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react';
import { Icon } from './icon.tsx';

const SHOWN_MS = 6000;
const Say = createContext<(text: string) => void>(() => undefined);

/** Says in passing that something is done. What failed stands where it was tried, not here. */
export const useSay = (): ((text: string) => void) => useContext(Say);

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [text, setText] = useState('');
  const timer = useRef<number>(undefined);
  const say = useCallback((said: string) => {
    window.clearTimeout(timer.current);
    setText(said);
    timer.current = window.setTimeout(() => setText(''), SHOWN_MS);
  }, []);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return (
    <Say.Provider value={say}>
      {children}
      <div className="toast" role="status" aria-live="polite">
        {text !== '' && (
          <p>
            <Icon name="check" />
            {text}
          </p>
        )}
      </div>
    </Say.Provider>
  );
}
