/** The platform's audit log, as it is written. */
import {
  Badge,
  Button,
  Card,
  Center,
  Group,
  Loader,
  Skeleton,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { useIntersection } from '@mantine/hooks';
import {
  IconArrowUp,
  IconFilterSearch,
  IconHistory,
  IconPlayerPause,
  IconPlayerPlay,
  IconPointFilled,
} from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useConnection } from '../../api/live.ts';
import type { AuditEntryFieldsFragment } from '../../documents.gen.ts';
import { AuditEntryRow } from '../../ui/audit-entry.tsx';
import { useFormats } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import classes from './audit.module.css';
import { AuditFilters } from './audit-filters.tsx';
import { filterOf, isAnything, useChoice } from './filter.ts';
import { useAuditLog } from './use-audit-log.ts';

export default function Audit() {
  const { t } = useTranslation('audit');
  const { choice, choose, clear } = useChoice();
  const filter = useMemo(() => filterOf(choice), [choice]);
  const [paused, setPaused] = useState(false);
  const { ref, entry: top } = useIntersection();
  const scrolled = top?.isIntersecting === false;
  const log = useAuditLog(filter, paused || scrolled);
  const count = log.waiting.length + log.unsure;
  const release = () => {
    window.scrollTo({ top: 0 });
    log.release();
  };
  const resume = () => {
    setPaused(false);
    if (count > 0) release();
  };
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <>
          <Tail paused={paused} />
          <Button
            variant="default"
            leftSection={paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />}
            onClick={paused ? resume : () => setPaused(true)}
          >
            {t(paused ? 'resume' : 'pause')}
          </Button>
        </>
      }
    >
      <div ref={ref}>
        <AuditFilters choice={choice} choose={choose} clear={clear} />
      </div>
      <div className={classes.counter} role="status">
        {count > 0 && (
          <Button size="compact-md" radius="xl" leftSection={<IconArrowUp size={16} aria-hidden />} onClick={release}>
            {t(log.unsure > 0 ? 'newUnsure' : 'new', { count })}
          </Button>
        )}
        {count === 0 && <VisuallyHidden>{log.fresh.size > 0 && t('came', { count: log.fresh.size })}</VisuallyHidden>}
      </div>
      {log.error && log.failed === 'first' && <Failed error={log.error} retry={log.reload} />}
      {log.entries?.length === 0 ? (
        <Card withBorder>
          {isAnything(choice) ? (
            <Empty icon={IconHistory} title={t('empty')} text={t('emptyText')} />
          ) : (
            <Empty
              icon={IconFilterSearch}
              title={t('noneFound')}
              text={t('noneFoundText')}
              action={
                <Button variant="default" onClick={clear}>
                  {t('filter.clear')}
                </Button>
              }
            />
          )}
        </Card>
      ) : log.entries ? (
        <Stack gap="lg" className={classes.list} data-busy={log.busy === 'first' || undefined}>
          <Days entries={log.entries} fresh={log.fresh} />
          {log.error && log.failed === 'more' ? (
            <Failed error={log.error} retry={log.loadMore} />
          ) : log.more ? (
            <Center>
              <Button variant="default" loading={log.busy === 'more'} onClick={log.loadMore}>
                {t('more')}
              </Button>
            </Center>
          ) : (
            <Text ta="center" size="sm" c="dimmed">
              {t(isAnything(choice) ? 'end' : 'endFiltered')}
            </Text>
          )}
        </Stack>
      ) : (
        !log.error && <LogSkeleton />
      )}
    </Page>
  );
}

/** Whether what is added comes in by itself. */
function Tail({ paused }: { paused: boolean }) {
  const { t } = useTranslation('audit');
  const { state } = useConnection();
  if (state === 'lost')
    return (
      <Badge size="lg" variant="light" color="yellow" leftSection={<Loader size={12} color="yellow" aria-hidden />}>
        {t('tail.lost')}
      </Badge>
    );
  return (
    <Badge
      size="lg"
      variant="light"
      color={paused ? 'gray' : 'teal'}
      leftSection={
        paused ? (
          <IconPlayerPause size={14} aria-hidden />
        ) : (
          <IconPointFilled size={16} className={classes.pulse} aria-hidden />
        )
      }
    >
      {t(paused ? 'tail.paused' : 'tail.live')}
    </Badge>
  );
}

interface DaysProps {
  entries: AuditEntryFieldsFragment[];
  fresh: ReadonlySet<string>;
}

function Days({ entries, fresh }: DaysProps) {
  const { fullDate } = useFormats();
  const days = useMemo(() => Map.groupBy(entries, ({ createdAt }) => new Date(createdAt).toDateString()), [entries]);
  return [...days].map(([day, ofDay]) => (
    <section key={day} aria-label={fullDate(day)}>
      <Group gap="xs" mb="xs" align="baseline">
        <Title order={2} size="h5">
          {fullDate(day)}
        </Title>
      </Group>
      <Card withBorder padding={0} component="ul" m={0}>
        {ofDay.map((entry) => (
          <AuditEntryRow key={entry.id} entry={entry} fresh={fresh.has(entry.id)} clockOnly />
        ))}
      </Card>
    </section>
  ));
}

const LogSkeleton = () => (
  <Stack gap="sm" aria-busy>
    <Skeleton height={24} width={220} />
    {Array.from({ length: 8 }, (_, index) => index).map((index) => (
      <Skeleton key={index} height={58} />
    ))}
  </Stack>
);
