/** How Kafka's brokers are spoken to, besides where they are. */
import { z } from 'zod';
import { optional } from './variable-rules.ts';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export const kafkaVariables = {
  KAFKA_SSL: optional(z.stringbool({ error: 'must be true or false' })),
  KAFKA_SASL_MECHANISM: optional(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(MECHANISMS, { error: `must be one of ${MECHANISMS.join(', ')}` })),
  ),
  KAFKA_SASL_USERNAME: optional(z.string()),
  KAFKA_SASL_PASSWORD: optional(z.string()),
};

export interface KafkaAccess {
  /** Over TLS; their certificates are checked. */
  readonly ssl: boolean;
  /** Whom the gateway signs in as; absent, it does not. */
  readonly sasl?: {
    readonly mechanism: (typeof MECHANISMS)[number];
    readonly username: string;
    readonly password: string;
  };
}

interface Given extends Partial<z.infer<z.ZodObject<typeof kafkaVariables>>> {
  KAFKA_BROKERS?: string;
}

/** @returns undefined where nothing is said of it; a sentence for the operator where what is said makes no sense. */
export function kafkaAccess(given: Given): KafkaAccess | string | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = given;
  const ssl = given.KAFKA_SSL ?? false;
  const anonymous = !mechanism && !username && !password;
  if (!ssl && anonymous) return undefined;
  if (!given.KAFKA_BROKERS) return 'KAFKA_SSL and KAFKA_SASL_... mean nothing without KAFKA_BROKERS.';
  if (anonymous) return { ssl };
  if (!mechanism || !username || !password)
    return 'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD go together: set all three.';
  if (mechanism === 'plain' && !ssl)
    return 'KAFKA_SASL_MECHANISM=plain sends the password as it is: set KAFKA_SSL=true, or use scram-sha-512.';
  return { ssl, sasl: { mechanism, username, password } };
}
