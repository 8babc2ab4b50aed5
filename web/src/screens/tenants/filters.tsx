/** Which tenants: by status, with how many of each there are. */
import { SimpleGrid, Skeleton, Text, UnstyledButton } from '@mantine/core';
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
