/** What is not saved yet, at the foot of the window: how much, what speaks against it, and what can be done with it. */
import { Alert, Button, Group, Paper, Text } from '@mantine/core';
import { IconArrowBackUp, IconDeviceFloppy, IconUsers } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { fieldErrors, sentenceOf } from '../../ui/errors.ts';
import classes from './draft-bar.module.css';
import type { Schedule } from './use-schedule.ts';

interface Props {
  schedule: Schedule;
  /** Why it cannot be saved. */
  obstacle?: string;
  onSave(): void;
}

export function DraftBar({ schedule, obstacle, onSave }: Props) {
  const { t } = useTranslation('working-hours');
  const { t: common } = useTranslation();
  const { isDirty, isAdopting, changed, past, theirs, isSaving, saveError } = schedule;
  if (!isDirty) return null;
  const [problem] = Object.values(fieldErrors(saveError));
  return (
    <Paper
      withBorder
      shadow="lg"
      radius="md"
      className={classes.bar}
      component="section"
      aria-label={t('draft.title')}
      data-testid="draft-bar"
    >
      {theirs && (
        <Alert
          color="orange"
          variant="light"
          mb="sm"
          role="alert"
          icon={<IconUsers aria-hidden />}
          title={t('draft.theirs')}
        >
          <Text size="sm" mb="xs">
            {t('draft.theirsText')}
          </Text>
          <Group gap="xs">
            <Button size="xs" color="orange" variant="outline" onClick={schedule.takeTheirs}>
              {t('draft.takeTheirs')}
            </Button>
            <Button size="xs" variant="default" onClick={schedule.keepMine}>
              {t('draft.keepMine')}
            </Button>
          </Group>
        </Alert>
      )}
      {saveError && (
        <Alert color="red" variant="light" mb="sm" role="alert">
          {problem ?? sentenceOf(saveError, common)}
        </Alert>
      )}
      <Group justify="space-between" gap="sm">
        <div>
          <Text fw={600} role="status">
            {isAdopting ? t('draft.adopting') : t('draft.changed', { count: changed.length })}
          </Text>
          {obstacle && (
            <Text size="sm" className={classes.obstacle} id="draft-obstacle">
              {obstacle}
            </Text>
          )}
        </div>
        <Group gap="xs">
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconArrowBackUp size={18} aria-hidden />}
            disabled={past.length === 0}
            onClick={schedule.undo}
          >
            {t('draft.undo')}
          </Button>
          <Button variant="default" onClick={schedule.discard} disabled={isSaving}>
            {t('draft.discard')}
          </Button>
          <Button
            leftSection={<IconDeviceFloppy size={18} aria-hidden />}
            loading={isSaving}
            disabled={obstacle !== undefined || theirs !== undefined}
            aria-describedby={obstacle ? 'draft-obstacle' : undefined}
            onClick={onSave}
          >
            {t('draft.save')}
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}
