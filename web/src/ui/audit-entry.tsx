/** A row of the audit log: who did what, to whom and when; opened, what it changed. */
import { Anchor, Box, Collapse, Group, Stack, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconBuilding,
  IconChevronRight,
  IconDevices,
  IconKey,
  type IconProps,
  IconShieldLock,
  IconSpy,
  IconUser,
} from '@tabler/icons-react';
import { type ComponentType, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AuditEntryFieldsFragment } from '../documents.gen.ts';
import { AuditChanges } from './audit-changes.tsx';
import classes from './audit-entry.module.css';
import { Time } from './time.tsx';

const ICONS: Readonly<Record<string, ComponentType<IconProps>>> = {
  tenant: IconBuilding,
  user: IconUser,
  super_admin: IconShieldLock,
  session: IconDevices,
  api_key: IconKey,
  impersonation: IconSpy,
};

/** What an action such as tenant.suspend is called; one that has no name, as it is written. */
export function useActionName(): (action: string) => string {
  const { t } = useTranslation('audit-entry');
  return (action) => t(`action.${action}`, { defaultValue: action });
}

const isRefusal = (action: string) => /failed|refused/.test(action);
const isHeavy = (action: string) => /suspend|remove|delete|cancel/.test(action);

interface AuditEntryRowProps {
  entry: AuditEntryFieldsFragment;
  /** Where the entries are all of one tenant, it need not be named. */
  showTenant?: boolean;
  /** Came while one looked. */
  fresh?: boolean;
}

/** To be put in a `<ul>`. */
export function AuditEntryRow({ entry, showTenant = true, fresh = false }: AuditEntryRowProps) {
  const { t } = useTranslation('audit-entry');
  const [opened, { toggle }] = useDisclosure(false);
  const details = useId();
  const name = useActionName();
  const { action, actorEmail, actorKind, onBehalfOfEmail, tenantName, tenantSlug, createdAt } = entry;
  const Icon = /impersonat/.test(action) ? IconSpy : (ICONS[action.split('.')[0]!] ?? IconBuilding);
  const color = isRefusal(action) ? 'red' : isHeavy(action) ? 'orange' : 'sea';
  const who = actorEmail ?? t(`actor.${actorKind}`);
  return (
    <Box component="li" className={classes.item} data-fresh={fresh || undefined} data-testid="audit-entry">
      <UnstyledButton className={classes.row} onClick={toggle} aria-expanded={opened} aria-controls={details}>
        <ThemeIcon variant="light" color={color} size={32} radius="md">
          <Icon size={18} aria-hidden />
        </ThemeIcon>
        <Stack gap={0} className={classes.text}>
          <Text size="sm" fw={600}>
            {name(action)}
            {showTenant && (tenantName ?? tenantSlug) && (
              <Text span fw={400}>
                {' · '}
                {tenantName ?? tenantSlug}
              </Text>
            )}
          </Text>
          <Text size="sm" c="dimmed" className={classes.who}>
            {onBehalfOfEmail ? t('onBehalf', { who, as: onBehalfOfEmail }) : who}
          </Text>
        </Stack>
        <Text size="xs" c="dimmed" component="div">
          <Time at={createdAt} />
        </Text>
        <IconChevronRight size={16} aria-hidden className={classes.chevron} data-opened={opened || undefined} />
      </UnstyledButton>
      <Collapse expanded={opened} id={details}>
        <Details entry={entry} />
      </Collapse>
    </Box>
  );
}

function Details({ entry }: { entry: AuditEntryFieldsFragment }) {
  const { t } = useTranslation('audit-entry');
  const { before, after, tenantId, tenantName, tenantSlug } = entry;
  const facts: [label: string, value: string | null | undefined][] = [
    [t('fact.actor'), [t(`actor.${entry.actorKind}`), entry.actorName, entry.actorEmail].filter(Boolean).join(', ')],
    [t('fact.onBehalfOf'), entry.onBehalfOfEmail ?? entry.onBehalfOf],
    [t('fact.target'), entry.targetType && `${entry.targetType} ${entry.targetId ?? ''}`],
    [t('fact.address'), entry.address],
    [t('fact.requestId'), entry.requestId],
    [t('fact.action'), entry.action],
  ];
  return (
    <Stack gap="sm" className={classes.details}>
      <AuditChanges before={before} after={after} />
      <dl className={classes.facts}>
        {facts.map(
          ([label, value]) =>
            value && (
              <Group key={label} gap="xs" wrap="nowrap" align="baseline">
                <Text component="dt" size="xs" c="dimmed" className={classes.term}>
                  {label}
                </Text>
                <Text component="dd" size="xs" m={0} className={classes.value}>
                  {value}
                </Text>
              </Group>
            ),
        )}
      </dl>
      {tenantId && (
        <Anchor component={Link} to={`/tenants/${tenantId}`} size="sm">
          {t('toTenant', { name: tenantName ?? tenantSlug ?? tenantId })}
        </Anchor>
      )}
    </Stack>
  );
}
