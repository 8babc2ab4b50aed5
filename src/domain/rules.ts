/** What each kind of field may hold; both surfaces are held to these (contract sections 1 and 2). */
import { z } from 'zod';

/** PostgreSQL's text cannot hold U+0000, nor its jsonb half of a surrogate pair. */
export const text = z
  .string()
  .refine((value) => !value.includes('\0'), { error: 'must not contain a NUL character' })
  .refine((value) => value.isWellFormed(), { error: 'must be well-formed Unicode' });

export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, { error: 'must be a UUID' })
  .meta({ format: 'uuid', pattern: undefined });

/** 1 to 200 characters after trimming. */
export const name = text
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(200, { error: 'must have at most 200 characters' });

/** RFC 5321 allows 254 octets in all. */
export const email = text
  .trim()
  .max(254, { error: 'must have at most 254 characters' })
  .pipe(z.email({ error: 'must be an e-mail address' }))
  .meta({ format: 'email', examples: ['test@example.com'] });

/** For signing in: anything may be tried, within bounds. */
export const anyPassword = text
  .max(1024, { error: 'must have at most 1024 characters' })
  .meta({ examples: ['password'] });

/**
 * An address as it is compared: without case and the blanks around it. Never by PostgreSQL's lower(), which also brings
 * letters such as U+0130 to ASCII ones: an attempt would be made under one name and counted under another.
 */
export const emailKey = (address: string): string => address.trim().toLowerCase();

/** Of a database server or of a region: short enough for a table, and to be typed at a command line. */
export const shortName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'may hold a-z, 0-9 and "-", up to 63 of them, and must start and end with a letter or a digit',
  })
  .meta({ examples: ['eu-1'] });

/** At least 8 characters; at most 1024, because each is hashed. */
export const newPassword = anyPassword.min(8, { error: 'must have at least 8 characters' });

const RESERVED_SLUGS = new Set(
  (
    'www api admin app auth login register health status static assets graphql playground console docs help support mail ' +
    'smtp imap ftp ns1 ns2 cdn blog dashboard system root internal localhost public null undefined omnistream tenant ' +
    'tenants super-admin metrics readyz webhook webhooks billing postgres template0 template1'
  ).split(' '),
);

/** A name for URLs: 3 to 63 of `a-z 0-9 -`, starting with a letter, not ending in `-`, not reserved. */
export const slug = z
  .string()
  .min(3, { error: 'must have at least 3 characters' })
  .max(63, { error: 'must have at most 63 characters' })
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, {
    error: 'may hold a-z, 0-9 and "-", must start with a letter and not end in "-"',
  })
  .refine((value) => !RESERVED_SLUGS.has(value), { error: 'is a reserved word' })
  .meta({ examples: ['acme'] });

// ISO 3166-1 alpha-2, officially assigned.
const COUNTRIES = new Set(
  (
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC ' +
    'CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD ' +
    'GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH ' +
    'KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW ' +
    'MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC ' +
    'SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY ' +
    'UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
  ).split(' '),
);

export const country = z
  .string()
  .refine((code) => COUNTRIES.has(code), { error: 'must be an ISO 3166-1 alpha-2 code in upper case, such as ID' })
  .meta({ pattern: '^[A-Z]{2}$', examples: ['ID'] });

const limit = z
  .int({ error: 'must be a whole number' })
  .min(0, { error: 'must not be negative' })
  .max(2_147_483_647, { error: 'must be at most 2147483647' })
  .meta({ examples: [1000] });

const limitKeys = <T extends z.ZodType>(value: T) => ({
  maxAgents: value.optional(),
  maxContacts: value.optional(),
  maxMessagesMonth: value.optional(),
});

export const limits = z.strictObject(limitKeys(limit));

/** A JSON merge patch (RFC 7396): a key that is null is removed. */
export const limitsPatch = z.strictObject(limitKeys(limit.nullable()));
