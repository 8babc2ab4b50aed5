/** Says aloud what went down and what came back. */
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Report, statesOf } from './components.ts';

export function Announcer({ report }: { report: Report }) {
  const { t } = useTranslation('health');
  const known = useRef(report);
  const [message, setMessage] = useState('');
  useEffect(() => {
    const before = new Map(statesOf(known.current).map(({ name, state }) => [name, state.status]));
    const changed = statesOf(report).filter(({ name, state }) => before.get(name) !== state.status);
    known.current = report;
    if (changed.length > 0)
      setMessage(
        changed.map(({ name, state }) => t(`became.${state.status}`, { name: t(`component.${name}`) })).join(' '),
      );
  }, [report, t]);
  return (
    <VisuallyHidden role="status" aria-live="assertive" data-testid="health-announcer">
      {message}
    </VisuallyHidden>
  );
}
