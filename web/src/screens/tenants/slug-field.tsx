/** The name for addresses: made from the name until somebody writes their own, and looked up while one types. */
import { Anchor, Group, Loader, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCircleCheck } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { CheckSlugDocument, SuggestSlugDocument } from '../../documents.gen.ts';
import { reasonText } from '../../ui/errors.ts';

const PATIENCE_MS = 250;

interface SlugFieldProps {
  /** The company's name. */
  name: string;
  value: string;
  onChange: (slug: string) => void;
  /** What the gateway said of the last attempt. */
  error?: string;
}

export function SlugField({ name, value, onChange, error }: SlugFieldProps) {
  const { t } = useTranslation('tenants');
  const [own, setOwn] = useState(false);
  const [settledName] = useDebouncedValue(name.trim(), PATIENCE_MS);
  const [{ data: made }] = useQuery({
    query: SuggestSlugDocument,
    variables: { name: settledName },
    pause: own || !settledName,
    requestPolicy: 'network-only',
  });
  const suggested = settledName ? made?.suggestSlug : '';
  const follow = useRef(onChange);
  useEffect(() => {
    follow.current = onChange;
  });
  useEffect(() => {
    if (!own && suggested !== undefined) follow.current(suggested);
  }, [own, suggested]);

  const [settled] = useDebouncedValue(value, PATIENCE_MS);
  const [{ data, fetching }] = useQuery({
    query: CheckSlugDocument,
    variables: { slug: settled },
    pause: !settled,
    requestPolicy: 'network-only',
  });
  const check = value && data?.slugCheck.slug === value ? data.slugCheck : undefined;
  const waiting = !!value && !check && (fetching || settled !== value);
  const wrong = check && !check.available ? t('slug.wrong', { reason: reasonText(check.reason ?? '') }) : error;

  const write = (slug: string) => {
    // Emptied, it follows the name again.
    setOwn(!!slug);
    onChange(slug);
  };

  return (
    <TextInput
      label={t('slug.label')}
      description={t('slug.hint')}
      required
      autoCapitalize="none"
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={(event) => write(event.currentTarget.value.toLowerCase())}
      rightSection={
        waiting ? (
          <Loader size={16} aria-hidden />
        ) : check?.available ? (
          <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />
        ) : null
      }
      error={
        wrong && (
          <Group component="span" gap={6}>
            {wrong}
            {check?.suggestion && (
              <Anchor component="button" type="button" size="xs" onClick={() => write(check.suggestion!)}>
                {t('slug.take', { slug: check.suggestion })}
              </Anchor>
            )}
          </Group>
        )
      }
      inputContainer={(children) => (
        <>
          {children}
          <Text size="xs" c="teal" mt={4} role="status" data-testid="slug-available" hidden={!check?.available}>
            {check?.available && t('slug.available')}
          </Text>
        </>
      )}
    />
  );
}
