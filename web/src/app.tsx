/** What is seen, by who is signed in. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { Provider } from 'urql';
import { createApi } from './api/client.ts';
import { sideOf, tokenOf, useSession } from './api/session.ts';
import { SignIn } from './screens/sign-in/sign-in.tsx';
import { ScreenBoundary } from './shell/screen-boundary.tsx';
import { Shell, type Side } from './shell/shell.tsx';
import { PageSkeleton } from './ui/states.tsx';

const SCREENS = {
  tenants: () => import('./screens/tenants/tenants.tsx'),
  tenant: () => import('./screens/tenant/tenant.tsx'),
  health: () => import('./screens/health/health.tsx'),
  usage: () => import('./screens/usage/usage.tsx'),
  servers: () => import('./screens/servers/servers.tsx'),
  audit: () => import('./screens/audit/audit.tsx'),
  upgrades: () => import('./screens/upgrades/upgrades.tsx'),
  admins: () => import('./screens/admins/admins.tsx'),
  workingHours: () => import('./screens/working-hours/working-hours.tsx'),
};
const Tenants = lazy(SCREENS.tenants);
const Tenant = lazy(SCREENS.tenant);
const Health = lazy(SCREENS.health);
const Usage = lazy(SCREENS.usage);
const Servers = lazy(SCREENS.servers);
const Audit = lazy(SCREENS.audit);
const Upgrades = lazy(SCREENS.upgrades);
const Admins = lazy(SCREENS.admins);
const WorkingHours = lazy(SCREENS.workingHours);

/** Those that may be next, while there is nothing else to do: so that they are there at once, the gateway away or not. */
function useFetchedAhead(side: Side | undefined): void {
  useEffect(() => {
    if (!side) return;
    const { workingHours, ...platform } = SCREENS;
    const timer = setTimeout(() => {
      // What fails says so where it is needed.
      for (const fetch of side === 'platform' ? Object.values(platform) : [workingHours]) fetch().catch(() => {});
    }, AHEAD_AFTER_MS);
    return () => clearTimeout(timer);
  }, [side]);
}

const AHEAD_AFTER_MS = 1000;

export function App() {
  const session = useSession();
  const token = tokenOf(session);
  return <Identity key={token ?? 'nobody'} token={token} />;
}

function Identity({ token }: { token?: string }) {
  const [api] = useState(() => createApi(token));
  useEffect(() => api.close, [api]);
  const side = sideOf(useSession());
  const { pathname } = useLocation();
  useFetchedAhead(side);
  if (!side)
    return (
      <Provider value={api.client}>
        <SignIn />
      </Provider>
    );
  return (
    <Provider value={api.client}>
      <Shell side={side}>
        <ScreenBoundary place={pathname}>
          <Suspense fallback={<PageSkeleton />}>{side === 'platform' ? <Platform /> : <TenantSide />}</Suspense>
        </ScreenBoundary>
      </Shell>
    </Provider>
  );
}

const Platform = () => (
  <Routes>
    <Route path="tenants" element={<Tenants />} />
    <Route path="tenants/:id" element={<Tenant />} />
    <Route path="health" element={<Health />} />
    <Route path="usage" element={<Usage />} />
    <Route path="servers" element={<Servers />} />
    <Route path="audit" element={<Audit />} />
    <Route path="upgrades" element={<Upgrades />} />
    <Route path="admins" element={<Admins />} />
    <Route path="*" element={<Navigate to="/tenants" replace />} />
  </Routes>
);

const TenantSide = () => (
  <Routes>
    <Route path="working-hours" element={<WorkingHours />} />
    <Route path="*" element={<Navigate to="/working-hours" replace />} />
  </Routes>
);
