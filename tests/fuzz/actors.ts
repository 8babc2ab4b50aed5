/** Who asks: mostly somebody who may. */
import fc from 'fast-check';
import { ACTORS, type ActorName } from './model.ts';

/** Tenants whose users ask; the others are there to be administered and left alone. */
export const CAST_TENANTS = 3;
export const tenantIndex = fc.nat({ max: CAST_TENANTS - 1 });

const anybody = fc.constantFrom(...ACTORS);

/** @param demand as in the table of permissions. */
export function actorFor(demand: string): fc.Arbitrary<ActorName> {
  if (demand === 'platform') {
    return fc.oneof({ weight: 8, arbitrary: fc.constant<ActorName>('super admin') }, { weight: 2, arbitrary: anybody });
  }
  if (demand === 'public') return anybody;
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant<ActorName>('admin') },
    { weight: 1, arbitrary: fc.constantFrom<ActorName>('API key', 'impersonation', 'supervisor') },
    { weight: 3, arbitrary: anybody },
  );
}
