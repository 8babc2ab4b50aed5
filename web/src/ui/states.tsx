/** What a screen shows while it has nothing to show yet, has nothing at all, or could not get it. */
import { Alert, Button, Center, Skeleton, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, type IconProps } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { sentenceOf } from './errors.ts';

export const PageSkeleton = () => (
  <Stack gap="md" aria-busy>
    <Skeleton height={34} width={220} />
    <Skeleton height={48} />
    <Skeleton height={320} />
  </Stack>
);

interface EmptyProps {
  icon: ComponentType<IconProps>;
  title: string;
  text?: string;
  action?: ReactNode;
}

export const Empty = ({ icon: Icon, title, text, action }: EmptyProps) => (
  <Center mih={240} p="xl">
    <Stack align="center" gap="xs" maw={420}>
      <ThemeIcon size={56} radius="xl" variant="light" color="gray">
        <Icon size={28} aria-hidden />
      </ThemeIcon>
      <Title order={2} size="h4" ta="center">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" ta="center">
          {text}
        </Text>
      )}
      {action}
    </Stack>
  </Center>
);

/** @param retry asks again. */
export function Failed({ error, retry }: { error: CombinedError; retry?: () => void }) {
  const { t } = useTranslation();
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('failed.title')} role="alert">
      <Stack align="flex-start" gap="sm">
        <Text size="sm">{sentenceOf(error, t)}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {t('failed.retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
