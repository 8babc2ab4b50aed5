/** What a change did, field by field: before and after. */
import { Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './audit-entry.module.css';

/** Nested objects by their paths, such as limits.maxAgents. */
function flat(value: unknown, path = ''): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return path && value !== undefined ? new Map([[path, value]]) : new Map();
  }
  const parts = Object.entries(value).flatMap(([key, part]) => [...flat(part, path ? `${path}.${key}` : key)]);
  return new Map(parts);
}

const spelled = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export function AuditChanges({ before, after }: { before: unknown; after: unknown }) {
  const { t } = useTranslation('audit-entry');
  const [old, now] = [flat(before), flat(after)];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  if (!fields.length) {
    return (
      <Text size="xs" c="dimmed">
        {t('noChanges')}
      </Text>
    );
  }
  return (
    <Table.ScrollContainer minWidth={280} type="native">
      <Table withRowBorders={false} verticalSpacing={2} fz="xs" className={classes.changes}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('field')}</Table.Th>
            {old.size > 0 && <Table.Th scope="col">{t('before')}</Table.Th>}
            {now.size > 0 && <Table.Th scope="col">{t('after')}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {fields.map((field) => (
            <Table.Tr key={field}>
              <Table.Th scope="row" fw={500}>
                {field}
              </Table.Th>
              {old.size > 0 && <Table.Td className={classes.old}>{old.has(field) && spelled(old.get(field))}</Table.Td>}
              {now.size > 0 && <Table.Td className={classes.new}>{now.has(field) && spelled(now.get(field))}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
