/** What the caller may see and change of the hours. */
import { useQuery } from 'urql';
import { MeDocument, type Permission } from '../../documents.gen.ts';

export interface Rights {
  isKnown: boolean;
  /** A super admin who may only look. */
  isReadOnly: boolean;
  /** The organization's week, zone and exceptions. */
  seesOrganization: boolean;
  managesOrganization: boolean;
  seesDivisions: boolean;
  managesDivisions: boolean;
}

export function useRights(): Rights {
  const [{ data }] = useQuery({ query: MeDocument });
  const me = data?.me;
  const may = (permission: Permission) => me?.permissions.includes(permission) ?? false;
  const isReadOnly = me?.readOnly === true;
  return {
    isKnown: me !== undefined,
    isReadOnly,
    seesOrganization: may('SETTINGS_MANAGE'),
    managesOrganization: may('SETTINGS_MANAGE') && !isReadOnly,
    seesDivisions: may('DIVISIONS_VIEW'),
    managesDivisions: may('DIVISIONS_MANAGE') && !isReadOnly,
  };
}
