/** Making another super admin. */
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { CreateSuperAdminDocument, SuperAdminsDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { type Account, NewAccount } from '../../ui/new-account.tsx';
import { notify } from '../../ui/notify.tsx';

export function AddAdmin({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('admins');
  const client = useClient();

  const create = async (input: Account) => {
    const { data, error } = await client.mutation(CreateSuperAdminDocument, { input }).toPromise();
    if (data) {
      notify.done(t('form.done', { name: data.createSuperAdmin.name }));
      client.query(SuperAdminsDocument, {}, { requestPolicy: 'network-only' }).toPromise();
    }
    return error;
  };

  return (
    <Dialog opened={opened} onClose={onClose} title={t('add')}>
      <NewAccount power={t('form.power')} taken={t('form.emailTaken')} create={create} onClose={onClose} />
    </Dialog>
  );
}
