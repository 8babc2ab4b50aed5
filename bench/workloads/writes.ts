/** W10: a tenant renamed, with what has to be written along. */
import { compare, oneOf, signedIn } from './compare.ts';
import type { Workload } from './workload.ts';

export const W10: Workload = {
  name: 'W10',
  title: 'REST: a tenant renamed, with its audit entry and event',
  tenants: 10_000,
  run(bench) {
    const { tenantIds } = bench.platform;
    const headers = signedIn(bench);
    return compare(bench, 'W10', {
      servers: ['gateway', 'ceiling'],
      question: (index) => ({
        method: 'PATCH',
        path: `/api/super-admin/tenants/${oneOf(tenantIds)}`,
        headers: { ...headers, 'idempotency-key': `rename-${index}` },
        body: { name: `Renamed ${index}` },
      }),
      goals: { ceiling: 0.7 },
      pick: (body) => body.replace(/"updated_at":"[^"]*"/, ''),
    });
  },
};
