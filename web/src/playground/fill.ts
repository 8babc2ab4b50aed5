/** Makes an example ready to run when it is opened: the right identity, and ids in place of `{{activeId}}` and its like. */
import {
  PlaygroundCompanyPartsDocument,
  PlaygroundCompanySignInDocument,
  PlaygroundNewestTenantDocument,
  PlaygroundTenantUsersDocument,
} from '../documents.gen.ts';
import { ask } from './ask.ts';
import { EXAMPLE_PASSWORD, EXAMPLE_SLUG, type Example, type Token } from './examples/example.ts';
import { activate, activeIdentity, adopt, confirm, getSession } from './session.ts';

/** What stands in the way, and what does away with it. */
export interface Problem {
  text: string;
  remedy?: 'sign-in' | 'make-company' | 'suspend' | 'add-exception' | 'add-division' | 'add-agent';
}

export interface Prepared {
  /** JSON. */
  variables: string;
  problems: Problem[];
}

const NO_SUPER_ADMIN: Problem = { text: 'This one is for super admins: sign in as one.', remedy: 'sign-in' };
const NO_COMPANY: Problem = {
  text: 'No company of the examples is active yet. Make one, or wait the few seconds that its making takes.',
  remedy: 'make-company',
};

export async function prepare(example: Example): Promise<Prepared> {
  await confirm();
  const problem = await becomeWhoItTakes(example);
  const { variables, problems } = await fill(example);
  return { variables, problems: problem ? [problem] : problems };
}

/** Super admins go on as the admin of the newest company that an example made. */
async function becomeWhoItTakes({ as }: Example): Promise<Problem | undefined> {
  const { platform, company } = getSession();
  if (as === 'anybody') return undefined;
  if (as === 'platform') {
    if (!platform) return NO_SUPER_ADMIN;
    activate('platform');
    return undefined;
  }
  if (company) {
    activate('company');
    return undefined;
  }
  if (!platform)
    return { text: 'This one is run inside a company: sign in there, or as a super admin.', remedy: 'sign-in' };
  const example = await newest({ status: 'ACTIVE', search: EXAMPLE_SLUG });
  if (!example) return NO_COMPANY;
  const credentials = { email: adminOf(example.slug), password: EXAMPLE_PASSWORD, tenant: example.slug };
  try {
    const { login } = await ask(PlaygroundCompanySignInDocument, credentials);
    await adopt(login.token);
    return undefined;
  } catch (error) {
    return { text: `Signing in as ${credentials.email} failed: ${(error as Error).message}`, remedy: 'sign-in' };
  }
}

const adminOf = (slug: string) => `admin@${slug}.example`;

async function newest(filter: { status?: 'ACTIVE' | 'SUSPENDED'; search?: string }) {
  const token = getSession().platform?.token;
  if (!token) return undefined;
  const { tenants } = await ask(PlaygroundNewestTenantDocument, { filter }, token);
  return tenants.nodes[0];
}

async function parts() {
  const token = getSession().company?.token;
  return token ? ask(PlaygroundCompanyPartsDocument, {}, token) : undefined;
}

/** Someone of a company sees their own; its slug is no secret. */
async function activeSlug(): Promise<string | undefined> {
  const session = getSession();
  return session.active === 'company'
    ? activeIdentity(session)?.tenantSlug
    : (await newest({ status: 'ACTIVE' }))?.slug;
}

async function userOfActive(): Promise<string | undefined> {
  const tenantId = (await newest({ status: 'ACTIVE' }))?.id;
  if (!tenantId) return undefined;
  const { tenantUsers } = await ask(PlaygroundTenantUsersDocument, { tenantId }, getSession().platform?.token);
  return tenantUsers[0]?.id;
}

const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const exampleSlug = async () => (await newest({ status: 'ACTIVE', search: EXAMPLE_SLUG }))?.slug;

const VALUES: Record<Token, () => Promise<string | undefined>> = {
  number: async () => String(1000 + Math.floor(Math.random() * 9000)),
  today: async () => dayFromNow(0),
  inAWeek: async () => dayFromNow(7),
  newestId: async () => (await newest({}))?.id,
  newestSlug: async () => (await newest({}))?.slug,
  activeId: async () => (await newest({ status: 'ACTIVE' }))?.id,
  activeSlug,
  suspendedId: async () => (await newest({ status: 'SUSPENDED' }))?.id,
  exampleSlug,
  exampleEmail: async () => {
    const slug = await exampleSlug();
    return slug && adminOf(slug);
  },
  userId: userOfActive,
  divisionId: async () => (await parts())?.divisions[0]?.id,
  agentId: async () => (await parts())?.agents.findLast(({ role }) => role === 'agent')?.id,
  exceptionId: async () => (await parts())?.workingHoursExceptions[0]?.id,
};

const noTenant: Problem = { text: 'There is no company yet: make one first.', remedy: 'make-company' };
const noActive: Problem = {
  text: 'No company is active yet. Make one, or wait the few seconds that its making takes.',
  remedy: 'make-company',
};

const MISSING: Partial<Record<Token, Problem>> = {
  newestId: noTenant,
  newestSlug: noTenant,
  activeId: noActive,
  activeSlug: noActive,
  userId: noActive,
  suspendedId: { text: 'No company is suspended: suspend one first.', remedy: 'suspend' },
  exampleSlug: NO_COMPANY,
  exampleEmail: NO_COMPANY,
  divisionId: { text: 'The company has no division yet: make one first.', remedy: 'add-division' },
  agentId: { text: 'The company has nobody who is just an agent: add one first.', remedy: 'add-agent' },
  exceptionId: { text: 'The company has no holidays yet: add one first.', remedy: 'add-exception' },
};

async function fill({ variables, as }: Example): Promise<Prepared> {
  if (!variables) return { variables: '', problems: [] };
  const problems = new Set<Problem>();
  let text = JSON.stringify(variables, null, 2);
  const tokens = new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, token]) => token as Token));
  for (const token of tokens) {
    const value = await VALUES[token]();
    if (value === undefined) problems.add(missing(token, as));
    text = text.replaceAll(`{{${token}}}`, JSON.stringify(value ?? '').slice(1, -1));
  }
  return { variables: text, problems: [...problems] };
}

function missing(token: Token, as: Example['as']): Problem {
  if (as === 'anybody' && !getSession().platform) {
    return { text: 'Sign in as a super admin to have a company filled in, or name one yourself.', remedy: 'sign-in' };
  }
  return MISSING[token] ?? { text: `Nothing was found for ${token}.` };
}
