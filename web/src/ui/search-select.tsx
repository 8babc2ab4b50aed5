/** A choice that is found by typing: what Enter takes fits what was typed. */
import {
  type ComboboxItem,
  type ComboboxParsedItem,
  defaultOptionsFilter,
  type OptionsFilter,
  Select,
  type SelectProps,
} from '@mantine/core';
import { useRef, useState } from 'react';

type Usual = 'label' | 'aria-label' | 'placeholder' | 'description' | 'error' | 'w' | 'leftSection' | 'searchable';
type Listed = 'limit' | 'filter' | 'renderOption' | 'nothingFoundMessage' | 'maxDropdownHeight' | 'comboboxProps';

interface Props
  extends Pick<SelectProps, Usual | Listed | 'value' | 'onChange' | 'onClick' | 'clearable' | 'clearButtonProps'> {
  data: readonly (ComboboxItem | { group: string; items: ComboboxItem[] })[];
  /** Whether the options are not yet those of what was typed. */
  isPending?: boolean;
  /** Told what was typed since something was chosen; empty after that. */
  onTyped?: (text: string) => void;
}

/** Guinea before Equatorial Guinea, where Guinea was typed. */
function exactFirst<Item extends ComboboxParsedItem>(options: readonly Item[], search: string): Item[] {
  const fits = (option: ComboboxParsedItem): boolean =>
    'items' in option ? option.items.some(fits) : option.label.toLowerCase() === search;
  return options
    .map((option) => ('items' in option ? { ...option, items: exactFirst(option.items, search) } : option))
    .toSorted((one, other) => Number(fits(other)) - Number(fits(one)));
}

export function SearchSelect({
  data,
  isPending = false,
  filter = defaultOptionsFilter as OptionsFilter,
  onTyped,
  ...props
}: Props) {
  const labelOf = (value?: string | null) =>
    data.flatMap((entry) => ('items' in entry ? entry.items : [entry])).find((item) => item.value === value)?.label ??
    '';
  const [text, setText] = useState(labelOf(props.value));
  /** Since something was last chosen; the field shows what is chosen as well. */
  const [typed, setTyped] = useState<string>();
  const isWalking = useRef(false);
  const search = typed?.trim() ?? '';
  const type = (next?: string) => {
    isWalking.current = false;
    setTyped(next);
    onTyped?.(next?.trim() ?? '');
  };
  return (
    <Select
      searchable
      {...props}
      data={[...data]}
      // Chosen once more, it stays.
      allowDeselect={false}
      selectFirstOptionOnChange={search !== '' && !isPending}
      // By itself it shows everything where what was typed is what is chosen.
      filter={({ options, limit }) => filter({ options: exactFirst(options, search.toLowerCase()), search, limit })}
      searchValue={text}
      onSearchChange={setText}
      onInput={({ currentTarget: { value } }) => type(value)}
      onKeyDownCapture={(event) => {
        if (event.key === 'ArrowDown' || event.key === 'ArrowUp') isWalking.current = true;
        if (event.key !== 'Enter' || typed === undefined) return;
        // The form is not sent with something else than what stands in the field.
        event.preventDefault();
        if (!isWalking.current && (isPending || !search)) event.stopPropagation();
      }}
      onOptionSubmit={(value) => {
        type(undefined);
        setText(labelOf(value));
      }}
      onClear={() => type(undefined)}
      onBlur={() => type(undefined)}
    />
  );
}
