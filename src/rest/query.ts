/** Rules for what a query holds: text, whatever it means. */
import { z } from 'zod';

/** As the number that it means; described as such. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error: `must be ${least} to ${most}` })
    .meta({ type: 'integer', minimum: least, maximum: most, pattern: undefined });

/** `true` or `false`, as the boolean that it means. */
export const trueOrFalse = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((value) => value === 'true')
  .meta({ type: 'boolean', enum: undefined });
