/** Making a tenant: what it is called, where it is, what it may use, and who is its first admin. */
import { Divider, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { type CombinedError, useClient, useMutation } from 'urql';
import { ProvisionTenantDocument, SuggestSlugDocument } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { codeOf, fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { NewPassword, SHORTEST_PASSWORD } from '../../ui/new-password.tsx';
import { notify } from '../../ui/notify.tsx';
import { SearchSelect } from '../../ui/search-select.tsx';
import { countries } from './countries.ts';
import { LimitFields, limitMistakes, limitsInput, NO_LIMITS } from './limit-fields.tsx';
import { RegionField } from './region-field.tsx';
import { SlugField } from './slug-field.tsx';

export function CreateTenant({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('tenants');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('create')} size="lg">
      <Form onClose={onClose} />
    </Dialog>
  );
}

const EMPTY = {
  name: '',
  slug: '',
  /** The name that the slug was made from; undefined of one that somebody wrote. */
  slugFrom: undefined as string | undefined,
  country: null as string | null,
  region: null as string | null,
  limits: NO_LIMITS,
  email: '',
  password: '',
};
const FIELDS = [
  'name',
  'slug',
  'country',
  'region',
  'maxAgents',
  'maxContacts',
  'maxMessagesMonth',
  'adminEmail',
  'adminPassword',
];

function Form({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation('tenants');
  const navigate = useNavigate();
  const [draft, setDraft] = useState(EMPTY);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<CombinedError>();
  const [busy, setBusy] = useState(false);
  const client = useClient();
  const [, provision] = useMutation(ProvisionTenantDocument);
  const places = useMemo(() => countries(localeOf(i18n.language)), [i18n.language]);

  const change = (part: Partial<typeof EMPTY>, ...fields: string[]) => {
    setDraft((before) => ({ ...before, ...part }));
    setErrors((before) => Object.fromEntries(Object.entries(before).filter(([field]) => !fields.includes(field))));
  };

  /** The slug, also where the name was entered faster than one was suggested for it. */
  const slugOf = async ({ name, slug, slugFrom }: typeof EMPTY): Promise<{ slug: string; error?: CombinedError }> => {
    const entered = name.trim();
    if (!entered || (slug && (slugFrom ?? entered) === entered)) return { slug };
    const { data, error } = await client
      .query(SuggestSlugDocument, { name: entered }, { requestPolicy: 'network-only' })
      .toPromise();
    return { slug: data?.suggestSlug ?? '', error };
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const { slug, error } = await slugOf(draft);
    if (error) setProblem(error);
    else await create({ ...draft, slug });
    setBusy(false);
  };

  const create = async (entered: typeof EMPTY) => {
    const found = mistakes(entered, t);
    setErrors(found);
    setProblem(undefined);
    if (Object.keys(found).length) return;
    const { name, slug, country, region, limits, email, password } = entered;
    const { data, error } = await provision({
      input: {
        name: name.trim(),
        slug,
        country,
        region,
        limits: limitsInput(limits, undefined),
        adminEmail: email.trim() || null,
        adminPassword: password || null,
      },
    });
    if (data) {
      onClose();
      notify.done(t('created', { name: data.provisionTenant.name }));
      navigate(`/tenants/${data.provisionTenant.id}`);
    } else if (error) {
      const told = fieldErrors(error);
      if (codeOf(error) === 'SLUG_TAKEN') told.slug = t('slug.taken');
      setErrors(told);
      // What has no field here is told above the buttons.
      setProblem(FIELDS.some((field) => told[field]) ? undefined : error);
    }
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('name')}
          required
          maxLength={200}
          data-autofocus
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value }, 'name')}
          error={errors.name}
        />
        <SlugField
          name={draft.name}
          value={draft.slug}
          onChange={(slug, slugFrom) => change({ slug, slugFrom }, 'slug')}
          error={errors.slug}
        />
        <SearchSelect
          label={t('country')}
          placeholder={t('countryNone')}
          data={places}
          clearable
          clearButtonProps={{ 'aria-label': t('clear') }}
          nothingFoundMessage={t('noneFound')}
          value={draft.country}
          onChange={(country) => change({ country }, 'country')}
          error={errors.country}
        />
        <RegionField value={draft.region} onChange={(region) => change({ region }, 'region')} error={errors.region} />
        <Divider label={t('limits.title')} labelPosition="left" />
        <LimitFields
          value={draft.limits}
          onChange={(limits) => change({ limits }, 'maxAgents', 'maxContacts', 'maxMessagesMonth')}
          errors={errors}
        />
        <Divider label={t('admin.title')} labelPosition="left" />
        <Text size="sm" c="dimmed">
          {t('admin.hint')}
        </Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <TextInput
            label={t('admin.email')}
            description={t('admin.emailHint')}
            type="email"
            autoComplete="off"
            value={draft.email}
            onChange={(event) => change({ email: event.currentTarget.value }, 'adminEmail', 'adminPassword')}
            error={errors.adminEmail}
          />
          <NewPassword
            label={t('admin.password')}
            value={draft.password}
            onChange={(password) => change({ password }, 'adminEmail', 'adminPassword')}
            error={errors.adminPassword}
          />
        </SimpleGrid>
        <FormEnd problem={problem} submit={t('submit')} busy={busy} onCancel={onClose} />
      </Stack>
    </form>
  );
}

/** What can be told before the gateway is asked. */
function mistakes(entered: typeof EMPTY, t: (key: string) => string): Record<string, string> {
  const { name, slug, limits, email, password } = entered;
  const found = limitMistakes(limits, t);
  if (!name.trim()) found.name = t('mistake.name');
  if (!slug) found.slug = t('mistake.slug');
  if (password && !email.trim()) found.adminEmail = t('mistake.emailToo');
  if (email.trim() && !password) found.adminPassword = t('mistake.passwordToo');
  else if (password && password.length < SHORTEST_PASSWORD) found.adminPassword = t('mistake.passwordShort');
  return found;
}
