/** What an entry of the audit log changed, field by field. */
import { ScrollArea, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormats } from './format.ts';

interface Change {
  field: string;
  before?: unknown;
  after?: unknown;
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{ limits: { maxAgents: 5 } }` is `{ 'limits.maxAgents': 5 }`. */
function flat(value: unknown, prefix = ''): Fields {
  if (!isFields(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      isFields(inner) ? Object.entries(flat(inner, `${prefix}${key}.`)) : [[`${prefix}${key}`, inner]],
    ),
  );
}

/** Only what differs; of what was just made or removed, all of it. */
export function changesOf(before: unknown, after: unknown): Change[] {
  const [was, is] = [flat(before), flat(after)];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .map((field) => ({ field, before: was[field], after: is[field] }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

function useValue() {
  const { t } = useTranslation('audit-entry');
  const { number, dateTime } = useFormats();
  return (value: unknown): string => {
    if (value === undefined || value === null || value === '') return '—';
    if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
    if (typeof value === 'number') return number(value);
    if (typeof value === 'string') return INSTANT.test(value) ? dateTime(value) : value;
    if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(', ') || '—';
    return JSON.stringify(value);
  };
}

export function AuditChanges({ before, after }: { before: unknown; after: unknown }) {
  const { t, i18n } = useTranslation('audit-entry');
  const show = useValue();
  const changes = changesOf(before, after);
  if (changes.length === 0) return null;
  const label = (field: string) => (i18n.exists(`field.${field}`, { ns: 'audit-entry' }) ? t(`field.${field}`) : field);
  const both = isFields(before) && isFields(after);
  return (
    <ScrollArea type="auto" viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': t('changes') }}>
      <Table fz="sm" verticalSpacing={6} layout="auto" aria-label={t('changes')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('column.field')}</Table.Th>
            {(both || isFields(before)) && <Table.Th scope="col">{t('column.before')}</Table.Th>}
            {(both || isFields(after)) && <Table.Th scope="col">{t(both ? 'column.after' : 'column.value')}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map((change) => (
            <Table.Tr key={change.field}>
              <Table.Th scope="row" fw={500}>
                {label(change.field)}
              </Table.Th>
              {(both || isFields(before)) && (
                <Table.Td>
                  <Value text={show(change.before)} gone={change.before !== undefined} />
                </Table.Td>
              )}
              {(both || isFields(after)) && (
                <Table.Td>
                  <Value text={show(change.after)} />
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

const Value = ({ text, gone }: { text: string; gone?: boolean }) => (
  <Text
    span
    size="sm"
    td={gone ? 'line-through' : undefined}
    c={gone ? 'var(--mantine-color-dimmed)' : undefined}
    style={{ overflowWrap: 'anywhere' }}
  >
    {text}
  </Text>
);
