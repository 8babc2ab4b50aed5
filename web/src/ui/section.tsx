/** A part of the screen: its heading, and a list that may be loading, empty or unreachable. */
import { Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import type { Fresh } from '../api/use-fresh.ts';
import { Failed } from './states.tsx';

interface SectionProps<Data> {
  title: string;
  description?: string;
  actions?: ReactNode;
  answer: Fresh<Data>;
  /** Rows to leave room for. */
  rows: number;
  children: (data: Data) => ReactNode;
}

export function Section<Data>({ title, description, actions, answer, rows, children }: SectionProps<Data>) {
  const { data, error, refetch } = answer;
  const heading = useId();
  return (
    <Stack component="section" gap="sm" aria-labelledby={heading}>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={2} size="h4" id={heading}>
            {title}
          </Title>
          {description && (
            <Text size="sm" c="dimmed">
              {description}
            </Text>
          )}
        </div>
        {actions}
      </Group>
      {!data && error ? (
        <Failed error={error} retry={refetch} />
      ) : (
        <Card withBorder padding={0}>
          {data ? (
            children(data)
          ) : (
            <Stack gap="md" p="md" aria-busy>
              {Array.from({ length: rows }, (_, index) => index).map((index) => (
                <Skeleton key={index} height={40} />
              ))}
            </Stack>
          )}
        </Card>
      )}
    </Stack>
  );
}
