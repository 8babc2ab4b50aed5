import type { ReactNode } from 'react';

export function Shell({ children }: { side: 'platform' | 'tenant'; children: ReactNode }) {
  return <main>{children}</main>;
}
