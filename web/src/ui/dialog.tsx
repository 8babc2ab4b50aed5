/** A modal that fills small screens and can be closed by all means. */
import { Modal, type ModalProps } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';

export function Dialog(props: ModalProps) {
  const { t } = useTranslation();
  const small = useMediaQuery('(max-width: 30em)', false, { getInitialValueInEffect: false });
  return (
    <Modal
      // A form that was half filled in is not lost by a click beside it.
      closeOnClickOutside={false}
      fullScreen={small && props.size !== 'sm'}
      closeButtonProps={{ 'aria-label': t('close') }}
      // Its header is none of the page.
      attributes={{ header: { role: 'none' } }}
      styles={{ title: { fontWeight: 650, fontSize: 'var(--mantine-font-size-lg)' } }}
      {...props}
    />
  );
}
