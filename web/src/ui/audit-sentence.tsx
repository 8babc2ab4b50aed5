/** What an entry of the audit log says, as a sentence for people; an action nobody wrote one for shows its code. */
import { Anchor, Code, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AuditEntryFieldsFragment } from '../documents.gen.ts';

const Name = ({ children }: { children: ReactNode }) => (
  <Text span inherit fw={600} style={{ overflowWrap: 'anywhere' }}>
    {children}
  </Text>
);

/** A text of `before` or `after`, newest first. */
function told({ before, after }: AuditEntryFieldsFragment, field: string): string | undefined {
  for (const side of [after, before]) {
    const value = (side as Record<string, unknown> | null)?.[field];
    if (typeof value === 'string' && value) return value;
  }
  return undefined;
}

/** @param link whether the tenant's name leads to it. */
export function AuditSentence({ entry, link }: { entry: AuditEntryFieldsFragment; link: boolean }) {
  const { t, i18n } = useTranslation('audit-entry');
  const parts: Record<string, ReactNode> = {
    actor: <Actor entry={entry} />,
    tenant: <TenantName entry={entry} link={link} />,
    code: <Code>{entry.action}</Code>,
    // Whom or what it was done to, as far as the entry names it.
    target: <Name>{told(entry, 'name') ?? told(entry, 'email') ?? t('somebody')}</Name>,
    email: <Name>{entry.actorEmail ?? t('somebody')}</Name>,
  };
  const key = `sentence.${entry.action}`;
  const known = i18n.exists(key, { ns: 'audit-entry' });
  const template = t(known ? key : entry.tenantId ? 'sentence.otherIn' : 'sentence.other', { skipInterpolation: true });
  return (
    <>
      {template.split(/\{\{(\w+)\}\}/).map((part, index) => (
        // The parts of a sentence never change places.
        <Fragment key={index}>{index % 2 ? parts[part] : part}</Fragment>
      ))}
    </>
  );
}

function Actor({ entry: { actorKind, actorName, actorEmail, onBehalfOfEmail } }: { entry: AuditEntryFieldsFragment }) {
  const { t } = useTranslation('audit-entry');
  const name = actorName ?? actorEmail ?? t(`kind.${actorKind}`);
  if (actorKind === 'SUPER_ADMIN' && onBehalfOfEmail)
    return (
      <>
        <Name>{name}</Name> {t('as')} <Name>{onBehalfOfEmail}</Name>
      </>
    );
  return <Name>{name}</Name>;
}

function TenantName({ entry, link }: { entry: AuditEntryFieldsFragment; link: boolean }) {
  const { t } = useTranslation('audit-entry');
  const { tenantId, tenantName } = entry;
  if (!tenantId || !tenantName) return <Name>{told(entry, 'name') ?? t('removedTenant')}</Name>;
  if (!link) return <Name>{tenantName}</Name>;
  return (
    <Anchor
      component={Link}
      to={`/tenants/${tenantId}`}
      inherit
      fw={600}
      underline="hover"
      onClick={(event) => event.stopPropagation()}
    >
      {tenantName}
    </Anchor>
  );
}
