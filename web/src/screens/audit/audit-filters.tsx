/** Which entries are seen. */
import 'dayjs/locale/id.js';
import { Button, Card, CloseButton, Group, SimpleGrid, TextInput } from '@mantine/core';
import { DatePickerInput } from '@mantine/dates';
import { useDebouncedCallback, useDebouncedValue } from '@mantine/hooks';
import { IconBuildingSkyscraper, IconCalendar, IconFilterOff, IconSearch, IconUser } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { AuditFilterChoicesDocument, TenantNameDocument } from '../../documents.gen.ts';
import entryTexts from '../../locales/en/audit-entry.json';
import { useActionName } from '../../ui/audit-entry.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { SearchSelect } from '../../ui/search-select.tsx';
import { type Choice, isAnything } from './filter.ts';

interface AuditFiltersProps {
  choice: Choice;
  choose: (part: Partial<Choice>) => void;
  clear: () => void;
}

export function AuditFilters({ choice, choose, clear }: AuditFiltersProps) {
  const { t, i18n } = useTranslation('audit');
  return (
    <Card withBorder padding="sm" component="search" aria-label={t('filter.label')}>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 5 }} spacing="sm">
        <Search value={choice.search} onChange={(search) => choose({ search })} />
        <ActionSelect value={choice.action} onChange={(action) => choose({ action })} />
        <ActorSelect value={choice.actorId} onChange={(actorId) => choose({ actorId })} />
        <TenantSelect value={choice.tenantId} onChange={(tenantId) => choose({ tenantId })} />
        <DatePickerInput
          type="range"
          allowSingleDateInRange
          clearable
          locale={i18n.language}
          valueFormat="D MMM YYYY"
          // Else the days that are shown are its name.
          aria-label={choice.from ? undefined : `${t('filter.anyTime')}: ${t('filter.dates')}`}
          placeholder={t('filter.anyTime')}
          leftSection={<IconCalendar size={16} aria-hidden />}
          maxDate={new Date()}
          weekendDays={[]}
          ariaLabels={{
            previousMonth: t('filter.previousMonth'),
            nextMonth: t('filter.nextMonth'),
            monthLevelControl: t('filter.pickMonth'),
            yearLevelControl: t('filter.pickYear'),
          }}
          value={[choice.from || null, choice.to || null]}
          onChange={([from, to]) => choose({ from: from ?? '', to: to ?? '' })}
          clearButtonProps={{ 'aria-label': t('filter.clearDates') }}
        />
      </SimpleGrid>
      {!isAnything(choice) && (
        <Group mt="sm">
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconFilterOff size={16} aria-hidden />}
            onClick={clear}
          >
            {t('filter.clear')}
          </Button>
        </Group>
      )}
    </Card>
  );
}

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
}

function Search({ value, onChange }: FieldProps) {
  const { t } = useTranslation('audit');
  const [text, setText] = useState(value);
  const [told, setTold] = useState(value);
  const tell = useDebouncedCallback((next: string) => {
    setTold(next);
    onChange(next);
  }, 300);
  // Changed from elsewhere, such as by the way back.
  if (value !== told) {
    setTold(value);
    setText(value);
  }
  const type = (next: string) => {
    setText(next);
    tell(next.trim());
  };
  return (
    <TextInput
      type="search"
      aria-label={t('filter.search')}
      placeholder={t('filter.search')}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label={t('filter.clearSearch')} onClick={() => type('')} />}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}

/** The actions that the platform's log knows have a text each: by what they are done to. */
const ACTIONS = Object.entries(entryTexts.action).map(([noun, texts]) => ({ noun, verbs: Object.keys(texts) }));

function ActionSelect({ value, onChange }: FieldProps) {
  const { t } = useTranslation('audit');
  const nameOf = useActionName();
  const groups = ACTIONS.map(({ noun, verbs }) => ({
    group: t(`noun.${noun}`),
    items: [
      { value: `${noun}.*`, label: t('filter.allOf', { noun: t(`noun.${noun}`) }) },
      ...verbs.map((verb) => ({ value: `${noun}.${verb}`, label: nameOf(`${noun}.${verb}`) })),
    ],
  }));
  const known = !value || groups.some(({ items }) => items.some((item) => item.value === value));
  return (
    <SearchSelect
      clearable
      aria-label={t('filter.action')}
      placeholder={t('filter.anyAction')}
      nothingFoundMessage={t('filter.nothing')}
      data={known ? groups : [{ value, label: value }, ...groups]}
      value={value || null}
      onChange={(next) => onChange(next ?? '')}
      clearButtonProps={{ 'aria-label': t('filter.clearAction') }}
    />
  );
}

function ActorSelect({ value, onChange }: FieldProps) {
  const { t } = useTranslation('audit');
  const [{ data, fetching, error }] = useQuery({ query: AuditFilterChoicesDocument, variables: {} });
  const admins = data?.superAdmins.map(({ id, name, email }) => ({ value: id, label: `${name} (${email})` })) ?? [];
  // Somebody of a tenant, or deleted since.
  const known = !value || admins.some((admin) => admin.value === value);
  return (
    <SearchSelect
      clearable
      aria-label={t('filter.actor')}
      placeholder={t('filter.anyActor')}
      nothingFoundMessage={error ? undefined : t('filter.nothing')}
      leftSection={<IconUser size={16} aria-hidden />}
      data={known ? admins : [...admins, { value, label: value }]}
      isPending={fetching}
      error={error && sentenceOf(error, t)}
      value={value || null}
      onChange={(next) => onChange(next ?? '')}
      clearButtonProps={{ 'aria-label': t('filter.clearActor') }}
    />
  );
}

function TenantSelect({ value, onChange }: FieldProps) {
  const { t } = useTranslation('audit');
  const [typed, setTyped] = useState('');
  const [steady] = useDebouncedValue(typed, 250);
  const search = typed && steady;
  const [{ data: chosen }] = useQuery({ query: TenantNameDocument, variables: { id: value }, pause: !value });
  const label = value ? (chosen?.tenant.name ?? value) : '';
  const [{ data, fetching, error }] = useQuery({
    query: AuditFilterChoicesDocument,
    variables: { search: search || undefined },
  });
  const found = error ? [] : (data?.tenants.nodes ?? []);
  const tenants = found.map(({ id, name }) => ({ value: id, label: name }));
  const known = !value || tenants.some((tenant) => tenant.value === value);
  return (
    <SearchSelect
      clearable
      aria-label={t('filter.tenant')}
      placeholder={t('filter.anyTenant')}
      nothingFoundMessage={error ? undefined : t('filter.nothing')}
      leftSection={<IconBuildingSkyscraper size={16} aria-hidden />}
      data={known ? tenants : [{ value, label }, ...tenants]}
      // The gateway has looked; what is chosen is not among what it found.
      filter={({ options }) =>
        known || !typed ? options : options.filter((option) => !('value' in option && option.value === value))
      }
      isPending={typed !== search || fetching}
      error={error && sentenceOf(error, t)}
      onTyped={setTyped}
      value={value || null}
      onChange={(next) => onChange(next ?? '')}
      clearButtonProps={{ 'aria-label': t('filter.clearTenant') }}
    />
  );
}
