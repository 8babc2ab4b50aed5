/** What an example is. Free of React and of browsers, so that a test can hold every example against the schema. */

export const GROUPS = ['Start here', 'Tenants', 'Live', 'Working hours', "A company's own side", 'Operations'] as const;
export type Group = (typeof GROUPS)[number];

/** What is put into variables when an example is opened: `{{activeId}}` and so on, anywhere in a string. */
export type Token =
  | 'number'
  | 'today'
  | 'inAWeek'
  | 'newestId'
  | 'newestSlug'
  | 'activeId'
  | 'activeSlug'
  | 'suspendedId'
  | 'exampleSlug'
  | 'exampleEmail'
  | 'userId'
  | 'divisionId'
  | 'agentId'
  | 'exceptionId';

export type Variables = Readonly<Record<string, unknown>>;

export interface Example {
  id: string;
  group: Group;
  title: string;
  /** One line. */
  about: string;
  /** Who runs it: a super admin, somebody of a company, or anybody. */
  as: 'platform' | 'company' | 'anybody';
  document: string;
  variables?: Variables;
}

/** Companies that the examples make: their admin's password is known to the examples that sign in as them. */
export const EXAMPLE_SLUG = 'kopi-kilat-';
export const EXAMPLE_PASSWORD = 'kopi-susu-please';

export const exampleCompany = (number: string) => ({
  name: `Kopi Kilat ${number}`,
  slug: `${EXAMPLE_SLUG}${number}`,
  country: 'ID',
  adminEmail: `admin@${EXAMPLE_SLUG}${number}.example`,
  adminPassword: EXAMPLE_PASSWORD,
  limits: { maxAgents: 10, maxContacts: 1000, maxMessagesMonth: 5000 },
});
