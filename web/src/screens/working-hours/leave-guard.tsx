/** Asks before unsaved changes are lost: on links of the console, on going back, and when the page is closed. */
import { Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Confirm } from '../../ui/confirm.tsx';

const BASENAME = '/console';

export interface LeaveGuard {
  /** Does it at once, or after it was confirmed that changes may be lost. */
  guard(action: () => void): void;
  question: React.ReactNode;
}

/** @param onLeave drops the changes. */
export function useLeaveGuard(isDirty: boolean, onLeave: () => void): LeaveGuard {
  const { t } = useTranslation('working-hours');
  const navigate = useNavigate();
  const [pending, setPending] = useState<{ go: () => void }>();
  const isLeaving = useRef(false);

  useEffect(() => {
    if (!isDirty) return;
    isLeaving.current = false;
    const closing = (event: BeforeUnloadEvent) => event.preventDefault();
    const clicked = (event: MouseEvent) => {
      const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
      if (!link || link.target || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      const { origin, pathname, search, hash } = new URL(link.href);
      if (origin !== location.origin || !pathname.startsWith(BASENAME) || pathname === location.pathname) return;
      event.preventDefault();
      event.stopPropagation();
      setPending({ go: () => navigate((pathname.slice(BASENAME.length) || '/') + search + hash) });
    };
    // A second entry of the same place, so that going back first comes here and can be asked about.
    if (history.state?.guarded !== true) history.pushState({ ...history.state, guarded: true }, '');
    const back = () => {
      if (isLeaving.current || history.state?.guarded) return;
      history.pushState({ ...history.state, guarded: true }, '');
      setPending({
        go: () => {
          isLeaving.current = true;
          history.go(-2);
        },
      });
    };
    window.addEventListener('beforeunload', closing);
    document.addEventListener('click', clicked, true);
    window.addEventListener('popstate', back);
    return () => {
      window.removeEventListener('beforeunload', closing);
      document.removeEventListener('click', clicked, true);
      window.removeEventListener('popstate', back);
    };
  }, [isDirty, navigate]);

  return {
    guard: (action) => (isDirty ? setPending({ go: action }) : action()),
    question: (
      <Confirm
        opened={pending !== undefined}
        onClose={() => setPending(undefined)}
        title={t('leave.title')}
        action={t('leave.action')}
        danger
        onConfirm={async () => {
          onLeave();
          pending?.go();
          return undefined;
        }}
      >
        <Text>{t('leave.text')}</Text>
      </Confirm>
    ),
  };
}
