/** Searching while one types: told after a moment's rest. */
import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

interface SearchFieldProps {
  /** What is searched, such as: Search by name. */
  label: string;
  value: string;
  onChange: (search: string) => void;
}

export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState(value);
  const tell = useDebouncedCallback((search: string) => {
    setSent(search);
    onChange(search);
  }, 300);
  if (value !== seen) {
    setSeen(value);
    // Changed from elsewhere, such as by the way back.
    if (value !== sent) setText(value);
  }
  const type = (next: string) => {
    setText(next);
    tell(next.trim());
  };
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label={t('clear')} onClick={() => type('')} />}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      flex={1}
      miw={220}
      maw={420}
    />
  );
}
