/** What becomes of a suspended tenant, in a list. */
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { TenantRowFragment } from '../../documents.gen.ts';
import { useFormats } from '../../ui/format.ts';
import { useNow } from '../../ui/now.ts';

export function Ending({ tenant: { archivedAt, purgeAt } }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('offboarding');
  const { relative } = useFormats();
  const now = useNow();
  if (!archivedAt && !purgeAt) return null;
  return (
    <Text size="xs" c="dimmed" mt={2}>
      {[archivedAt && t('badge.archived'), purgeAt && t('badge.ends', { when: relative(purgeAt, now) })]
        .filter(Boolean)
        .join(' · ')}
    </Text>
  );
}
