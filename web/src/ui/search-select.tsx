/** A choice that is found by typing: Enter takes what is marked, which fits what was typed. */
import {
  type ComboboxItem,
  type ComboboxParsedItem,
  defaultOptionsFilter,
  type OptionsFilter,
  Select,
  type SelectProps,
} from '@mantine/core';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

type Usual = 'label' | 'aria-label' | 'placeholder' | 'description' | 'error' | 'w' | 'leftSection' | 'searchable';
type Listed = 'limit' | 'filter' | 'renderOption' | 'nothingFoundMessage' | 'maxDropdownHeight' | 'comboboxProps';

interface Props extends Pick<SelectProps, Usual | Listed | 'value' | 'onClick' | 'clearable' | 'clearButtonProps'> {
  data: readonly (ComboboxItem | { group: string; items: ComboboxItem[] })[];
  /** @param value null where nothing is chosen any more, which takes that it is clearable. */
  onChange: (value: string | null) => void;
  /** Whether the options are not yet those of what was typed: none is shown until they are. */
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

/** The option that the arrows, or what was typed, have come to. */
const markedIn = ({ currentTarget }: KeyboardEvent<HTMLInputElement>): HTMLElement | null | undefined =>
  document.getElementById(currentTarget.getAttribute('aria-controls') ?? '')?.querySelector('[data-combobox-selected]');

export function SearchSelect({
  data,
  onChange,
  isPending = false,
  filter = defaultOptionsFilter as OptionsFilter,
  nothingFoundMessage,
  onTyped,
  ...props
}: Props) {
  const { t } = useTranslation();
  const labelOf = (value?: string | null) =>
    data.flatMap((entry) => ('items' in entry ? entry.items : [entry])).find((item) => item.value === value)?.label ??
    '';
  const [text, setText] = useState(labelOf(props.value));
  /** Since something was last chosen; the field shows what is chosen as well. */
  const [typed, setTyped] = useState<string>();
  const search = typed?.trim() ?? '';
  const type = (next?: string) => {
    setTyped(next);
    onTyped?.(next?.trim() ?? '');
  };
  /** For which text the first option is to be marked, and for which it was. */
  const toMark = search && !isPending ? typed : undefined;
  const [marked, setMarked] = useState<string>();
  useEffect(() => setMarked(toMark), [toMark]);
  /** An emptied text is no choice; where there has to be one, it stands there again. */
  const settle = () => {
    if (typed === undefined) return;
    const isNone = props.clearable && !search;
    if (isNone) onChange(null);
    setText(isNone ? '' : labelOf(props.value));
    type(undefined);
  };
  return (
    <Select
      searchable
      {...props}
      data={[...data]}
      onChange={onChange}
      aria-busy={isPending}
      loading={isPending}
      nothingFoundMessage={isPending ? t('searching') : nothingFoundMessage}
      // Chosen once more, it stays.
      allowDeselect={false}
      // Only until it has: else the next letter would mark one of the options that stand there before it counts.
      selectFirstOptionOnChange={toMark !== undefined && toMark !== marked}
      // By itself it shows everything where what was typed is what is chosen.
      filter={({ options, limit }) =>
        isPending ? [] : filter({ options: exactFirst(options, search.toLowerCase()), search, limit })
      }
      searchValue={text}
      onSearchChange={setText}
      onInput={({ currentTarget: { value } }) => type(value)}
      onKeyDownCapture={(event) => {
        // One that ends a composition (IME) belongs to that; Safari says so by its code alone.
        const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
        if (event.key !== 'Enter' || isComposing || typed === undefined) return;
        // The form is not sent with something else than what stands in the field.
        event.preventDefault();
        event.stopPropagation();
        const option = markedIn(event);
        if (option) option.click();
        else if (!search) settle();
      }}
      onOptionSubmit={(value) => {
        type(undefined);
        setText(labelOf(value));
      }}
      onClear={() => type(undefined)}
      onBlur={settle}
    />
  );
}
