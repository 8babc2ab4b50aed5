/** Which tenants: by status, with how many of each there are, and by their names. */
import { CloseButton, SimpleGrid, Skeleton, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TenantCountsQuery, TenantStatus } from '../../documents.gen.ts';
import { useFormats } from '../../ui/format.ts';
import classes from './tenants.module.css';

type Counts = TenantCountsQuery['systemHealth']['tenants'];

interface StatusFilterProps {
  counts?: Counts;
  value?: TenantStatus;
  onChange: (status?: TenantStatus) => void;
}

export function StatusFilter({ counts, value, onChange }: StatusFilterProps) {
  const { t } = useTranslation('tenants');
  const { t: common } = useTranslation();
  const { number } = useFormats();
  const choices: [status: TenantStatus | undefined, label: string, count: number | undefined][] = [
    [undefined, t('all'), counts?.total],
    ['ACTIVE', common('status.ACTIVE'), counts?.active],
    ['PROVISIONING', common('status.PROVISIONING'), counts && counts.total - counts.active - counts.suspended],
    ['SUSPENDED', common('status.SUSPENDED'), counts?.suspended],
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm" role="group" aria-label={t('byStatus')}>
      {choices.map(([status, label, count]) => (
        <UnstyledButton
          key={label}
          className={classes.count}
          aria-pressed={value === status}
          onClick={() => onChange(status)}
          data-testid={`count-${status ?? 'ALL'}`}
        >
          <Text size="sm" c="dimmed" component="span" className={classes.countLabel}>
            {label}
          </Text>
          {count === undefined ? (
            <Skeleton height={28} width={48} mt={4} />
          ) : (
            <Text fz={24} fw={650} lh={1.35} component="span" display="block">
              {number(count)}
            </Text>
          )}
        </UnstyledButton>
      ))}
    </SimpleGrid>
  );
}

export function SearchField({ value, onChange }: { value: string; onChange: (search: string) => void }) {
  const { t } = useTranslation('tenants');
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState(value);
  const tell = useDebouncedCallback((search: string) => {
    setSent(search);
    onChange(search);
  }, 300);
  if (value !== seen) {
    setSeen(value);
    // Changed from elsewhere, such as by the way back.
    if (value !== sent) setText(value);
  }
  const type = (next: string) => {
    setText(next);
    tell(next.trim());
  };
  return (
    <TextInput
      type="search"
      aria-label={t('search')}
      placeholder={t('search')}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label={t('clear')} onClick={() => type('')} />}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      flex={1}
      maw={420}
    />
  );
}
