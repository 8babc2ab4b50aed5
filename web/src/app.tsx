/** What is seen, by who is signed in. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { Provider } from 'urql';
import { createApi } from './api/client.ts';
import { sideOf, tokenOf, useSession } from './api/session.ts';
import { SignIn } from './screens/sign-in/sign-in.tsx';
import { Shell } from './shell/shell.tsx';
import { PageSkeleton } from './ui/states.tsx';

const Tenants = lazy(() => import('./screens/tenants/tenants.tsx'));
const Tenant = lazy(() => import('./screens/tenant/tenant.tsx'));
const Health = lazy(() => import('./screens/health/health.tsx'));
const Usage = lazy(() => import('./screens/usage/usage.tsx'));
const Audit = lazy(() => import('./screens/audit/audit.tsx'));
const Admins = lazy(() => import('./screens/admins/admins.tsx'));
const WorkingHours = lazy(() => import('./screens/working-hours/working-hours.tsx'));

export function App() {
  const session = useSession();
  const token = tokenOf(session);
  return <Identity key={token ?? 'nobody'} token={token} />;
}

function Identity({ token }: { token?: string }) {
  const [api] = useState(() => createApi(token));
  useEffect(() => api.close, [api]);
  const side = sideOf(useSession());
  if (!side)
    return (
      <Provider value={api.client}>
        <SignIn />
      </Provider>
    );
  return (
    <Provider value={api.client}>
      <Shell side={side}>
        <Suspense fallback={<PageSkeleton />}>{side === 'platform' ? <Platform /> : <TenantSide />}</Suspense>
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
    <Route path="audit" element={<Audit />} />
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
