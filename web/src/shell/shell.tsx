/** What surrounds every screen of somebody who is signed in: where to go, who one is, and whether what is seen is live. */
import { AppShell, Box, Burger, Group, Text } from '@mantine/core';
import { useDisclosure, useElementSize } from '@mantine/hooks';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import { useSubscription } from 'urql';
import { getSession, setSession, useSession } from '../api/session.ts';
import { HoursSignDocument, TenantChangesDocument } from '../documents.gen.ts';
import { notify } from '../ui/notify.tsx';
import { AccountMenu } from './account-menu.tsx';
import { ConnectionBadge, LostBanner } from './connection.tsx';
import { ImpersonationBanner } from './impersonation-banner.tsx';
import mark from './mark.svg';
import { Navigation } from './navigation.tsx';
import { ColorSchemeMenu, LanguageMenu } from './preferences.tsx';
import classes from './shell.module.css';

export type Side = 'platform' | 'tenant';

const BAR_HEIGHT = 56;

export function Shell({ side, children }: { side: Side; children: ReactNode }) {
  const { t } = useTranslation('shell');
  const [menu, { toggle, close }] = useDisclosure(false);
  const header = useElementSize();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const seen = useRef(pathname);
  useStayLive(side);
  useTellReturn();

  // A new screen: the menu has served, and the keyboard goes on from the screen's beginning.
  useEffect(() => {
    if (seen.current === pathname) return;
    seen.current = pathname;
    close();
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname, close]);

  return (
    <AppShell
      header={{ height: header.height || BAR_HEIGHT }}
      navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding={{ base: 'sm', xs: 'md', lg: 'xl' }}
      classNames={{ main: classes.main }}
    >
      <AppShell.Header withBorder={false} h="auto">
        <div ref={header.ref} className={classes.header}>
          <a href="#main" className={classes.skip}>
            {t('skip')}
          </a>
          <ImpersonationBanner />
          <Group h={BAR_HEIGHT} px={{ base: 'xs', xs: 'md' }} gap="xs" wrap="nowrap" className={classes.bar}>
            <Burger
              opened={menu}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t(menu ? 'closeMenu' : 'openMenu')}
              aria-expanded={menu}
            />
            <Link to="/" className={classes.brand} aria-label={t('home')}>
              <img src={mark} alt="" width={28} height={28} />
              <Text fw={700} size="lg" visibleFrom="xs">
                OmniStream
              </Text>
            </Link>
            <Box flex={1} />
            <ConnectionBadge />
            <LanguageMenu />
            <ColorSchemeMenu />
            <AccountMenu />
          </Group>
          <LostBanner />
        </div>
      </AppShell.Header>
      <AppShell.Navbar p="sm" withBorder={false} className={classes.navbar}>
        <Navigation side={side} />
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1}>
        <div className={classes.content}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}

/** Without a subscription there is no socket, and the badge would mean nothing. */
function useStayLive(side: Side): void {
  useSubscription({ query: TenantChangesDocument, pause: side !== 'platform' });
  useSubscription({ query: HoursSignDocument, pause: side !== 'tenant' });
}

/** Back from a tenant: says so, once. */
function useTellReturn(): void {
  const { t } = useTranslation('shell');
  const { returned } = useSession();
  useEffect(() => {
    if (!returned) return;
    const { returned: _, ...session } = getSession();
    setSession(session);
    notify.told(t(`returned.${returned}`));
  }, [returned, t]);
}
