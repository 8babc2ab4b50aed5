import { NoAnswerError } from './probe.ts';

/** What a failure's name, code or message tells, most telling first; `$1` is the pattern's first group. */
const SENTENCES: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [/\bECONNREFUSED\b/, 'connection refused'],
  [/\b(ENOTFOUND|EAI_AGAIN|ENODATA|ESERVFAIL)\b/, 'host not found'],
  [/\b(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)\b/, 'host unreachable'],
  [
    /\b(WRONGPASS|NOAUTH|AuthenticationFailed|InvalidAccessKeyId|SignatureDoesNotMatch|code 28(P01|000))\b/,
    'wrong credentials',
  ],
  [/UNSUPPORTED_SASL_MECHANISM|SASL \S+ mechanism is not supported/, 'this SASL mechanism is not offered there'],
  [/KafkaJSSASLAuthenticationError|authentication failed|invalid password/i, 'wrong credentials'],
  [/\b(NOPERM|Unauthorized|AccessDenied|code 42501|\w+_AUTHORIZATION_FAILED)\b/, 'permission denied'],
  [/\b(\w*SELF_SIGNED\w*|CERT_\w+|UNABLE_TO_\w+|ERR_TLS_CERT_\w+)\b/, 'TLS certificate not trusted'],
  [/\b(EPROTO|ERR_SSL_\w+)\b/, 'TLS handshake failed'],
  [/HTTP status: (\d{3})/, 'answered HTTP $1'],
  [/\b(HPE_\w+|HTTPParserError)\b/, 'answered something that is not HTTP'],
  [/^S3Error$|S3Error code NotFound|InvalidXMLError/, 'answered something that is not S3'],
  [/\b(ETIMEDOUT|UND_ERR_\w+_TIMEOUT|TimeoutError)\b|timed? ?out/i, 'no answer in time'],
  [
    /\b(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)\b|socket hang up|closed (connection|unexpectedly)|connection .*closed/i,
    'connection closed',
  ],
];

const LONGEST = 200;

/**
 * One short sentence for an operator on why something failed, for the health report and provisioning steps.
 * It never holds credentials, a stack, SQL or a file path, whichever client the error comes from.
 */
export function describeFailure(error: unknown): string {
  const failures = failuresBeneath(error);
  const noAnswer = failures.find((failure) => failure instanceof NoAnswerError);
  if (noAnswer) return noAnswer.message;
  const traits = failures.map(traitsOf);
  for (const [pattern, sentence] of SENTENCES) {
    for (const trait of traits) {
      const match = pattern.exec(trait);
      if (match) return sentence.replace('$1', match[1] ?? '');
    }
  }
  // Drivers wrap, and the innermost message is the one that says what happened.
  return failures.map(messageOf).reverse().map(sanitized).find(Boolean) ?? 'failed without saying why';
}

/** The error and everything it holds as a cause or a part, outermost first. */
export function failuresBeneath(error: unknown): unknown[] {
  const failures = new Set([error]);
  for (const failure of failures) {
    const { cause, errors, reason } = Object(failure);
    const parts = [cause, ...(Array.isArray(errors) ? errors : []), ...serverErrors(reason)];
    for (const part of parts) if (part != null) failures.add(part);
  }
  return [...failures];
}

/** MongoServerSelectionError keeps what each server said in the description of the topology. */
function serverErrors(topology: unknown): unknown[] {
  const { servers } = Object(topology);
  return servers instanceof Map ? [...servers.values()].map((server) => server.error) : [];
}

function traitsOf(failure: unknown): string {
  const { name, code, codeName, type } = Object(failure);
  // Numbers are named codes: in a message they may be a port.
  return [name, code && `code ${code}`, codeName, type, messageOf(failure)].filter(Boolean).join(' ');
}

function messageOf(failure: unknown): string {
  const { message } = Object(failure);
  return typeof failure === 'string' ? failure : typeof message === 'string' ? message : '';
}

const SQL =
  /\b(select\b.+\bfrom|insert into|update\b.+\bset|delete from|(create|alter|drop) (table|database|role|schema|index))\b/i;

function sanitized(message: string): string {
  const line = message.trim().split(/[\r\n]/, 1)[0] ?? '';
  if (SQL.test(line)) return 'a database statement failed';
  return line
    .replace(/:\/\/\S*@/g, '://***@')
    .replace(/\b(pass(word|wd)?|secret|token|api_?key|access_?key)(["']?\s*[=:]\s*)\S+/gi, '$1$3***')
    .replace(/file:\/\/\S+|(?<![\w:/.])(\/[\w.@~+-]+){2,}\/?|\b[A-Z]:\\\S+/g, '<path>')
    .slice(0, LONGEST);
}
