/** How the form in a dialog ends: what is wrong and has no field to be told at, and its two buttons. */
import { Alert, Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { sentenceOf } from './errors.ts';

interface FormEndProps {
  problem?: CombinedError;
  /** What the button says that sends the form. */
  submit: ReactNode;
  icon?: ReactNode;
  busy?: boolean;
  disabled?: boolean;
  onCancel(): void;
}

export function FormEnd({ problem, submit, icon, busy, disabled, onCancel }: FormEndProps) {
  const { t } = useTranslation();
  return (
    <>
      {problem && (
        <Alert color="red" role="alert">
          {sentenceOf(problem, t)}
        </Alert>
      )}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onCancel}>
          {t('cancel')}
        </Button>
        <Button type="submit" loading={busy} disabled={disabled} leftSection={icon}>
          {submit}
        </Button>
      </Group>
    </>
  );
}
