/** A field for a password that somebody else will use: typed, or made and copied. */
import { Button, CopyButton, Group, PasswordInput } from '@mantine/core';
import { IconCheck, IconCopy, IconDice3 } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { madePassword } from './made-password.ts';

export const SHORTEST_PASSWORD = 8;

interface NewPasswordProps {
  label: string;
  value: string;
  onChange: (password: string) => void;
  error?: ReactNode;
  required?: boolean;
  autoFocus?: boolean;
}

export function NewPassword({ label, value, onChange, error, required, autoFocus }: NewPasswordProps) {
  const { t } = useTranslation();
  const [visible, setVisible] = useState(false);
  return (
    <div>
      <PasswordInput
        label={label}
        description={t('password.hint', { count: SHORTEST_PASSWORD })}
        autoComplete="new-password"
        required={required}
        data-autofocus={autoFocus || undefined}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={error}
        visible={visible}
        onVisibilityChange={setVisible}
        visibilityToggleButtonProps={{ 'aria-label': t('password.show') }}
      />
      <Group gap="xs" mt={6}>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconDice3 size={14} aria-hidden />}
          onClick={() => {
            onChange(madePassword());
            setVisible(true);
          }}
        >
          {t('password.make')}
        </Button>
        {value && (
          <CopyButton value={value}>
            {({ copied, copy }) => (
              <Button
                size="compact-xs"
                variant="default"
                leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
                onClick={copy}
              >
                {t(copied ? 'password.copied' : 'password.copy')}
              </Button>
            )}
          </CopyButton>
        )}
      </Group>
    </div>
  );
}
