/** Where a tenant's database is to be, where database servers are in regions. */
import { Select } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { ServerRegionsDocument } from '../../documents.gen.ts';

interface RegionFieldProps {
  value: string | null;
  onChange: (region: string | null) => void;
  error?: string;
}

export function RegionField({ value, onChange, error }: RegionFieldProps) {
  const { t } = useTranslation('tenants');
  const [{ data }] = useQuery({ query: ServerRegionsDocument });
  const regions = new Set(data?.databaseServers.flatMap(({ region }) => region ?? []));
  if (regions.size === 0) return null;
  return (
    <Select
      label={t('region')}
      placeholder={t('regionAny')}
      data={[...regions].sort()}
      clearable
      clearButtonProps={{ 'aria-label': t('clear') }}
      value={value}
      onChange={onChange}
      error={error}
    />
  );
}
