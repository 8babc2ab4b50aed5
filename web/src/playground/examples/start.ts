/** First steps: a look around, a company, and what it is made of. */
import { type Example, exampleCompany } from './example.ts';

export const START: readonly Example[] = [
  {
    id: 'who-am-i',
    group: 'Start here',
    title: 'Who am I?',
    about: 'The identity that your requests carry, and what it may do.',
    as: 'platform',
    document: `query WhoAmI {
  me {
    name
    email
    role
    tenantSlug
    permissions
  }
}`,
  },
  {
    id: 'make-company',
    group: 'Start here',
    title: 'Make a company',
    about: 'Answers at once; its databases are made in the background.',
    as: 'platform',
    document: `mutation MakeCompany($input: ProvisionTenantInput!) {
  provisionTenant(input: $input) {
    id
    slug
    status
    provisioning {
      state
      steps {
        name
        state
      }
    }
  }
}`,
    variables: { input: exampleCompany('{{number}}') },
  },
  {
    id: 'follow-provisioning',
    group: 'Start here',
    title: 'Watch it being made',
    about: 'A subscription: every step of the newest company, as it happens.',
    as: 'platform',
    document: `subscription FollowProvisioning($tenantId: UUID!, $after: Sequence) {
  tenantProvisioning(tenantId: $tenantId, after: $after) {
    sequence
    kind
    provisioning {
      state
      attempt
      steps {
        name
        state
        attempt
        error
        finishedAt
      }
    }
  }
}`,
    variables: { tenantId: '{{newestId}}' },
  },
  {
    id: 'open-now',
    group: 'Start here',
    title: 'Is it open now?',
    about: 'Public: whether a company works at this moment, and why. Needs no sign-in.',
    as: 'anybody',
    document: `query OpenNow($tenant: String) {
  workingHoursStatus(tenant: $tenant) {
    isWorkingHours
    explanation
    localTime
    timezone
    nextChangeAt
  }
}`,
    variables: { tenant: '{{activeSlug}}' },
  },
];
