/** An entry of the audit log as a row of a list: a sentence, and what else is known of it when opened. */
import { ActionIcon, Badge, Box, Code, Collapse, CopyButton, Group, Stack, Text, ThemeIcon } from '@mantine/core';
import {
  IconBuildingSkyscraper,
  IconCheck,
  IconChevronDown,
  IconCopy,
  IconDeviceLaptop,
  IconFileText,
  IconKey,
  IconShieldCog,
  IconSpy,
  IconUser,
} from '@tabler/icons-react';
import { type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditEntryFieldsFragment } from '../documents.gen.ts';
import { AuditChanges } from './audit-changes.tsx';
import classes from './audit-entry.module.css';
import { AuditSentence } from './audit-sentence.tsx';
import { useFormats } from './format.ts';

const ICONS = {
  tenant: IconBuildingSkyscraper,
  super_admin: IconShieldCog,
  session: IconDeviceLaptop,
  impersonation: IconSpy,
  api_key: IconKey,
  user: IconUser,
} as const;

const GRAVE = /\.(suspend|remove|delete|revoke|purge|cancel_provisioning)$/;
const REFUSED = /_(failed|refused)$/;
const MADE = /\.(provision|create|activate)$/;

function look(action: string) {
  const noun = /impersonate$/.test(action) ? 'impersonation' : action.split('.')[0]!;
  const color = GRAVE.test(action)
    ? 'red'
    : REFUSED.test(action)
      ? 'orange'
      : noun === 'impersonation'
        ? 'violet'
        : MADE.test(action)
          ? 'teal'
          : 'gray';
  return { Icon: ICONS[noun as keyof typeof ICONS] ?? IconFileText, color };
}

/** What an action such as tenant.suspend is called; one that has no name, as it is written. */
export function useActionName(): (action: string) => string {
  const { t } = useTranslation('audit-entry');
  return (action) => t(`action.${action}`, { defaultValue: action });
}

interface AuditEntryRowProps {
  entry: AuditEntryFieldsFragment;
  /** Where the entries are all of one tenant, there is no way to it. */
  showTenant?: boolean;
  /** It just came: lit up for a moment. */
  fresh?: boolean;
  /** Where the list has headings of the days. */
  clockOnly?: boolean;
}

/** To be put in a `<ul>`. */
export function AuditEntryRow({ entry, showTenant = true, fresh, clockOnly }: AuditEntryRowProps) {
  const { t } = useTranslation('audit-entry');
  const { clock, dateTime } = useFormats();
  const [open, setOpen] = useState(false);
  const details = useId();
  const { Icon, color } = look(entry.action);
  const time = (clockOnly ? clock : dateTime)(entry.createdAt);
  return (
    <Box component="li" className={classes.entry} data-fresh={fresh || undefined} data-testid="audit-entry">
      {/* The button does the same for the keyboard. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: see above */}
      <div className={classes.row} onClick={() => setOpen(!open)}>
        <ThemeIcon variant="light" color={color} radius="xl" size={32} className={classes.icon} aria-hidden>
          <Icon size={18} />
        </ThemeIcon>
        <Stack gap={2} className={classes.sentence}>
          <Text size="sm" lh={1.45}>
            <AuditSentence entry={entry} link={showTenant} />
          </Text>
          <Group gap={6}>
            <Text size="xs" c="dimmed">
              <time dateTime={entry.createdAt}>{time}</time>
            </Text>
            {entry.onBehalfOfEmail && entry.actorKind === 'SUPER_ADMIN' && (
              <Badge size="xs" variant="light" color="violet">
                {t('impersonated')}
              </Badge>
            )}
          </Group>
        </Stack>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-expanded={open}
          aria-controls={details}
          aria-label={t('details', { action: entry.action, time })}
          onClick={(event) => {
            event.stopPropagation();
            setOpen(!open);
          }}
        >
          <IconChevronDown size={18} className={classes.chevron} data-open={open || undefined} aria-hidden />
        </ActionIcon>
      </div>
      <Collapse expanded={open} id={details} keepMounted={false}>
        <Details entry={entry} />
      </Collapse>
    </Box>
  );
}

function Details({ entry }: { entry: AuditEntryFieldsFragment }) {
  const { t } = useTranslation('audit-entry');
  const { clock, fullDate } = useFormats();
  const kind = t(`kind.${entry.actorKind}`);
  const person = [entry.actorName, entry.actorEmail].filter(Boolean).join(', ');
  return (
    <Stack gap="sm" className={classes.details}>
      <AuditChanges before={entry.before} after={entry.after} />
      <dl className={classes.facts}>
        <Fact name={t('fact.when')}>{`${fullDate(entry.createdAt)}, ${clock(entry.createdAt)}`}</Fact>
        <Fact name={t('fact.who')}>{person ? `${person} (${kind})` : kind}</Fact>
        {entry.onBehalfOf && <Fact name={t('fact.onBehalfOf')}>{entry.onBehalfOfEmail ?? entry.onBehalfOf}</Fact>}
        {entry.tenantId && (
          <Fact name={t('fact.tenant')}>{entry.tenantName ?? <Copyable text={entry.tenantId} />}</Fact>
        )}
        {entry.targetId && (
          <Fact name={t('fact.target')}>
            {t(`target.${entry.targetType}`, { defaultValue: entry.targetType })} <Copyable text={entry.targetId} />
          </Fact>
        )}
        <Fact name={t('fact.action')}>
          <Code>{entry.action}</Code>
        </Fact>
        {entry.address && (
          <Fact name={t('fact.address')}>
            <Copyable text={entry.address} />
          </Fact>
        )}
        {entry.requestId && (
          <Fact name={t('fact.requestId')}>
            <Copyable text={entry.requestId} />
          </Fact>
        )}
      </dl>
    </Stack>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function Copyable({ text }: { text: string }) {
  const { t } = useTranslation('audit-entry');
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <span className={classes.copyable}>
          <Code>{text}</Code>
          <ActionIcon
            size="sm"
            variant="subtle"
            color={copied ? 'teal' : 'gray'}
            onClick={copy}
            aria-label={t(copied ? 'copied' : 'copy', { text })}
          >
            {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          </ActionIcon>
        </span>
      )}
    </CopyButton>
  );
}
