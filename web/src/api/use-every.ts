/** Does something again and again while somebody looks: not in a tab in the background, and at once when it comes forth. */
import { useEffect } from 'react';

export function useEvery(ms: number, callback: () => void): void {
  useEffect(() => {
    let last = Date.now();
    const look = () => {
      if (document.hidden || Date.now() - last < ms) return;
      last = Date.now();
      callback();
    };
    const timer = setInterval(look, ms + 50);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [ms, callback]);
}
