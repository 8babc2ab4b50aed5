/** Short word of what was done, or could not be. */
import { type NotificationData, notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import i18next from 'i18next';

const show = (data: NotificationData) =>
  notifications.show({ ...data, closeButtonProps: { 'aria-label': i18next.t('close') } });

export const notify = {
  done: (message: string) =>
    show({ message, color: 'teal', icon: <IconCheck size={18} aria-hidden />, role: 'status' }),
  told: (message: string) =>
    show({
      message,
      color: 'blue',
      icon: <IconInfoCircle size={18} aria-hidden />,
      role: 'status',
      autoClose: 10_000,
    }),
  failed: (message: string) =>
    show({
      message,
      color: 'red',
      icon: <IconAlertTriangle size={18} aria-hidden />,
      role: 'alert',
      autoClose: 10_000,
    }),
};
