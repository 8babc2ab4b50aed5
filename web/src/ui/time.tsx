/** A moment as people speak of it, exact on hover or focus. */
import { Box, Tooltip } from '@mantine/core';
import { useFormats } from './format.ts';
import { useNow } from './now.ts';

/** @param focusable so that the keyboard reaches the exact time; not inside what is itself a link or a button. */
export function Time({ at, focusable = false }: { at: string | number; focusable?: boolean }) {
  const { relative, dateTime } = useFormats();
  const now = useNow();
  return (
    <Tooltip label={dateTime(at)}>
      <Box
        component="time"
        dateTime={new Date(at).toISOString()}
        tabIndex={focusable ? 0 : undefined}
        style={{ whiteSpace: 'nowrap' }}
      >
        {relative(at, now)}
      </Box>
    </Tooltip>
  );
}
