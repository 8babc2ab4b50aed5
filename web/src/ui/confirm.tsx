/** Asks before something is done, saying what it will do; what goes wrong is told where it was asked. */
import { Alert, Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { Dialog } from './dialog.tsx';
import { sentenceOf } from './errors.ts';

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The verb, such as Suspend. */
  action: string;
  danger?: boolean;
  /** Something has to be said first. */
  disabled?: boolean;
  /** Does it. Answers what went wrong, if anything did; otherwise the question goes away. */
  onConfirm: () => Promise<CombinedError | undefined>;
}

export function Confirm({
  opened,
  onClose,
  title,
  children,
  action,
  danger = false,
  disabled,
  onConfirm,
}: ConfirmProps) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();
  const close = () => {
    setError(undefined);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    const problem = await onConfirm();
    setBusy(false);
    if (problem) setError(problem);
    else close();
  };
  return (
    <Dialog opened={opened} onClose={close} title={title} size="sm" closeOnClickOutside>
      <Stack gap="md">
        {children}
        {error && (
          <Alert color="red" role="alert">
            {sentenceOf(error, t)}
          </Alert>
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close} data-autofocus>
            {t('cancel')}
          </Button>
          <Button color={danger ? 'red' : undefined} loading={busy} disabled={disabled} onClick={confirm}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
