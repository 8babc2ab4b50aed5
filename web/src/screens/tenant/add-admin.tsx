/** Making an admin in a tenant that is active, such as one that has nobody who could. */
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { CreateTenantAdminDocument, type TenantRowFragment } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { type Account, NewAccount } from '../../ui/new-account.tsx';
import { notify } from '../../ui/notify.tsx';

interface AddAdminProps {
  tenant: Pick<TenantRowFragment, 'id' | 'name'>;
  opened: boolean;
  onClose: () => void;
  /** There is one more user. */
  onAdded: () => void;
}

export function AddAdmin({ tenant, opened, onClose, onAdded }: AddAdminProps) {
  const { t } = useTranslation('tenant');
  const client = useClient();

  const create = async ({ name: fullName, email, password }: Account) => {
    const variables = { tenantId: tenant.id, input: { fullName, email, password } };
    const { data, error } = await client.mutation(CreateTenantAdminDocument, variables).toPromise();
    if (data) {
      notify.done(t('users.added', { email: data.createTenantAdmin.email }));
      onAdded();
    }
    return error;
  };

  return (
    <Dialog opened={opened} onClose={onClose} title={t('users.addTitle', { name: tenant.name })}>
      <NewAccount power={t('users.addPower')} taken={t('users.emailTaken')} create={create} onClose={onClose} />
    </Dialog>
  );
}
