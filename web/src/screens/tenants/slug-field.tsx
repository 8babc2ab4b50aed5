/** The name for addresses: made from the name until somebody writes their own, and looked up while one types. */
import { Anchor, Group, Loader, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCircleCheck } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useReturn } from '../../api/live.ts';
import { CheckSlugDocument, SuggestSlugDocument } from '../../documents.gen.ts';
import { reasonText } from '../../ui/errors.ts';

const PATIENCE_MS = 250;
const FRESH = { requestPolicy: 'network-only' } as const;

interface SlugFieldProps {
  /** The company's name. */
  name: string;
  value: string;
  /** With the name that it was made from; without one, somebody wrote it. */
  onChange: (slug: string, from?: string) => void;
  /** What the gateway said of the last attempt. */
  error?: string;
}

export function SlugField({ name, value, onChange, error }: SlugFieldProps) {
  const { t } = useTranslation('tenants');
  const [own, setOwn] = useState(false);
  const [settledName] = useDebouncedValue(name.trim(), PATIENCE_MS);
  const [{ data: made, fetching: making, error: unmade }, suggest] = useQuery({
    query: SuggestSlugDocument,
    variables: { name: settledName },
    pause: own || !settledName,
    requestPolicy: 'network-only',
  });
  // Until it is answered, and where it is not, the answer for the name before is there.
  const answer = making || unmade ? undefined : made?.suggestSlug;
  const suggested = settledName ? answer : '';
  const follow = useRef(onChange);
  useEffect(() => {
    follow.current = onChange;
  });
  useEffect(() => {
    if (!own && suggested !== undefined) follow.current(suggested, settledName);
  }, [own, suggested, settledName]);

  const [settled] = useDebouncedValue(value, PATIENCE_MS);
  const [{ data, fetching }, check] = useQuery({
    query: CheckSlugDocument,
    variables: { slug: settled },
    pause: !settled,
    requestPolicy: 'network-only',
  });
  const checked = value && data?.slugCheck.slug === value ? data.slugCheck : undefined;
  const waiting = !!value && !checked && (fetching || settled !== value);
  const wrong = checked && !checked.available ? t('slug.wrong', { reason: reasonText(checked.reason ?? '') }) : error;

  // What was typed while the connection was lost has had no answer.
  useReturn(
    useCallback(() => {
      if (!own && settledName) suggest(FRESH);
      if (settled) check(FRESH);
    }, [own, settledName, suggest, settled, check]),
  );

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
        ) : checked?.available ? (
          <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />
        ) : null
      }
      error={
        wrong && (
          <Group component="span" gap={6}>
            {wrong}
            {checked?.suggestion && (
              <Anchor component="button" type="button" size="xs" onClick={() => write(checked.suggestion!)}>
                {t('slug.take', { slug: checked.suggestion })}
              </Anchor>
            )}
          </Group>
        )
      }
      inputContainer={(children) => (
        <>
          {children}
          <Text size="xs" c="teal" mt={4} role="status" data-testid="slug-available" hidden={!checked?.available}>
            {checked?.available && t('slug.available')}
          </Text>
        </>
      )}
    />
  );
}
