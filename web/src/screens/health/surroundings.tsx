/** What hangs on the platform: the channels that are in use, and how many tenants there are. */
import { Card, Group, SimpleGrid, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFormats } from '../../ui/format.ts';
import { CHANNELS, type ChannelName, type Report } from './components.ts';
import classes from './health.module.css';

export function Channels({ platforms }: { platforms: Report['platforms'] }) {
  const { t } = useTranslation('health');
  return (
    <Stack component="section" gap="sm" aria-labelledby="group-channels">
      <Title order={2} size="h4" id="group-channels">
        {t('group.channels')}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="md">
        {(Object.keys(CHANNELS) as ChannelName[]).map((name) => {
          const Icon = CHANNELS[name];
          const active = platforms[name].status === 'ACTIVE';
          return (
            <Card key={name} withBorder padding="sm" data-testid={`channel-${name}`}>
              <Group gap="sm" wrap="nowrap">
                <ThemeIcon variant="light" color={active ? 'teal' : 'gray'} size={36}>
                  <Icon size={20} aria-hidden />
                </ThemeIcon>
                <div>
                  <Text fw={600} size="sm">
                    {t(`channel.${name}`)}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {t(active ? 'channel.active' : 'channel.inactive')}
                  </Text>
                </div>
              </Group>
            </Card>
          );
        })}
      </SimpleGrid>
    </Stack>
  );
}

export function Tenants({ counts }: { counts: Report['tenants'] }) {
  const { t } = useTranslation('health');
  const { number } = useFormats();
  const tiles = [
    { name: 'total', value: counts.total, to: '/tenants' },
    { name: 'active', value: counts.active, to: '/tenants?status=ACTIVE' },
    { name: 'suspended', value: counts.suspended, to: '/tenants?status=SUSPENDED' },
  ] as const;
  return (
    <Stack component="section" gap="sm" aria-labelledby="group-tenants">
      <Title order={2} size="h4" id="group-tenants">
        {t('group.tenants')}
      </Title>
      <SimpleGrid cols={3} spacing="md">
        {tiles.map(({ name, value, to }) => (
          <Card key={name} withBorder padding="sm" component={Link} to={to} className={classes.count}>
            <Text className={classes.latency}>{number(value)}</Text>
            <Text size="xs" c="dimmed">
              {t(`tenants.${name}`)}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
