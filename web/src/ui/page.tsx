/** The frame of a screen: its heading, what it is for, and what can be done; also the browser's title. */
import { Anchor, Badge, Group, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconClockPause } from '@tabler/icons-react';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useConnection } from '../api/live.ts';
import { useFormats } from './format.ts';
import classes from './page.module.css';

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · OmniStream`;
  }, [title]);
}

interface PageProps {
  title: string;
  description?: ReactNode;
  /** Buttons, on the right or below. */
  actions?: ReactNode;
  /** Beside the heading, such as a status. */
  badge?: ReactNode;
  /** Where one comes from. */
  back?: { to: string; label: string };
  children: ReactNode;
}

export function Page({ title, description, actions, badge, back, children }: PageProps) {
  useDocumentTitle(title);
  return (
    <Stack gap="lg">
      <Group component="header" justify="space-between" align="flex-start" gap="md">
        <Stack gap={4} maw="100%">
          {back && (
            <Anchor component={Link} to={back.to} size="sm" style={{ alignSelf: 'flex-start' }}>
              <Group gap={4} component="span">
                <IconArrowLeft size={14} aria-hidden />
                {back.label}
              </Group>
            </Anchor>
          )}
          <Group gap="sm">
            <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
              {title}
            </Title>
            {badge}
            <AsOf />
          </Group>
          {description && (
            <Text c="dimmed" size="sm" component="div">
              {description}
            </Text>
          )}
        </Stack>
        {actions && (
          <Group gap="sm" className={classes.actions}>
            {actions}
          </Group>
        )}
      </Group>
      {children}
    </Stack>
  );
}

/** While the connection is lost, how old what is seen may be. */
function AsOf() {
  const { t } = useTranslation();
  const { time } = useFormats();
  const connection = useConnection();
  if (connection.state !== 'lost') return null;
  return (
    <Badge color="yellow" variant="light" leftSection={<IconClockPause size={14} aria-hidden />}>
      {t('asOf', { time: time(connection.since) })}
    </Badge>
  );
}
