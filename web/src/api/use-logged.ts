/** A query that is asked again as soon as the log tells of something that may have changed its answer. */
import type { AnyVariables, UseQueryArgs } from 'urql';
import { AuditTailDocument } from '../documents.gen.ts';
import { useEvents } from './use-events.ts';
import { type Fresh, useFresh } from './use-fresh.ts';

const NOTHING = {};

export function useLogged<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Variables, Data>,
  actions: RegExp,
): Fresh<Data> {
  const fresh = useFresh(args);
  useEvents(AuditTailDocument, NOTHING, ({ auditEntryAdded: { kind, entry } }) => {
    if (kind === 'RESET' || (entry && actions.test(entry.action))) fresh.refetch();
  });
  return fresh;
}
