import { expect, test } from '@jest/globals';
import { ConfigError, readConfig, VARIABLES } from '../src/config.ts';

const refusal = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`taken: ${Object.keys(env)}`);
};

test.each([
  ['PORT', 'http', 'PORT must be a whole number from 0 to 65535'],
  ['PORT', '65536', 'PORT must be a whole number from 0 to 65535'],
  ['PORT', '80.5', 'PORT must be a whole number from 0 to 65535'],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
  ['JWT_SECRET', 'short', 'JWT_SECRET must be at least 32 bytes'],
  ['OTEL_TRACES_SAMPLER_ARG', '-1', 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1'],
])('a start is refused, naming what is wrong and not its value: %s=%s', (variable, value, says) => {
  expect(refusal({ [variable]: value })).toBe(`The environment cannot be used:\n  ${says}`);
});

test('every variable that cannot hold anything is refused in words of our own', () => {
  const lines = refusal(Object.fromEntries(VARIABLES.map((variable) => [variable, '\u0001 none, 1']))).split('\n');
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) expect(line).not.toMatch(/invalid|expected|received/i);
});

test('a secret is not the one before it', () => {
  const secret = 'a secret of the tests, long enough for it';
  expect(refusal({ JWT_SECRET: secret, JWT_SECRET_FORMER: secret })).toContain('they cannot be the same');
});
